import { type MapArrow, outside, type PodMap, stateColours } from "./channel-map.ts";
import { laneOrder } from "./lane-order.ts";

const titleSize = 13;
const textSize = 12;
/** Average width of a letter of the fonts named in the style, as a share of its size; on the safe side. */
const letterShare = 0.54;
const longestLine = 38;
/** A channel with one end: from its box to the ring, and from there to the words. */
const stub = 26;
const stubText = 14;
const boxPadding = 28;
const narrowestBox = 96;
const gapPadding = 36;
const narrowestGap = 120;
const headHeight = 40;
const margin = 24;
const frameHead = 34;
const rowPadding = 14;
const lineHeight = 17;
const legendHeight = 58;

/**
 * The maps as SVG: each container a tall box, each channel an arrow in a row of its own from box to box, with its
 * words in the gap where it starts. Nothing can overlap, however many channels there are; boxes that talk stand
 * side by side.
 */
export function formatSvg(maps: readonly PodMap[]): string {
  const drawings = maps.map(drawPod);
  const width = Math.max(640, ...drawings.map((drawing) => drawing.width)) + 2 * margin;
  let y = margin;
  const parts = drawings.map(({ body, height }) => {
    const part = `<g transform="translate(${margin} ${y})">\n${body}</g>\n`;
    y += height + margin;
    return part;
  });
  const height = y + legendHeight;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">\n` +
    `<style>text{font-family:Helvetica,Arial,"Liberation Sans","DejaVu Sans",sans-serif;font-size:${textSize}px}` +
    `.name{font-size:14px;font-weight:bold;fill:#1f2328}.title{font-size:${titleSize}px;font-weight:bold}` +
    ".pod{font-size:14px;fill:#57606a}</style>\n" +
    `<rect width="${width}" height="${height}" fill="#ffffff"/>\n${parts.join("")}${legend(y)}</svg>\n`
  );
}

interface Lane {
  readonly name: string;
  readonly left: number;
  readonly right: number;
}

function drawPod(whole: PodMap): { body: string; width: number; height: number } {
  // Conversations first, then those who are alone.
  const map = {
    ...whole,
    arrows: whole.arrows.toSorted((a, b) => Number(a.to === undefined) - Number(b.to === undefined)),
  };
  const names = laneOrder(map);
  const places = new Map(names.map((name, index) => [name, index]));
  const texts = map.arrows.map((arrow) => textOf(arrow));
  const boxWidth = (name: string) =>
    Math.max(narrowestBox, textWidth(labelOf(name), 14) + boxPadding) + boxPadding / 2;
  // The gap to the right of a lane is as wide as the widest words in it.
  const gaps = names.map((_, index) => {
    const inGap = texts.filter((_, arrow) => gapOf(map.arrows[arrow], places) === index);
    const widest = Math.max(
      0,
      ...inGap.flat().map(({ text, size, indent }) => indent + textWidth(text, size)),
    );
    const last = index === names.length - 1;
    return widest === 0 ? (last ? margin : narrowestGap) : Math.max(narrowestGap, widest + gapPadding);
  });
  const lanes: Lane[] = [];
  let x = margin;
  for (const [index, name] of names.entries()) {
    lanes.push({ name, left: x, right: x + boxWidth(name) });
    x += boxWidth(name) + (gaps[index] ?? 0);
    // The frame of the pod begins behind the outside.
    if (name === outside) x += margin;
  }
  const width = x;
  // Each arrow as high as the gaps on its way allow: those that don't meet stand side by side.
  const free = names.map(() => frameHead + headHeight + rowPadding);
  const rows = map.arrows.map((arrow, index) => {
    const lines = texts[index] ?? [];
    const way = gapsOnTheWay(arrow, places);
    const y = Math.max(...way.map((gap) => free[gap] ?? 0));
    const loop = arrow.from === arrow.to ? lineHeight : 0;
    for (const gap of way) free[gap] = y + lines.length * lineHeight + loop + 2 * rowPadding;
    return drawArrow(arrow, lines, y, lanes, places, gaps);
  });
  const bottom = Math.max(...free) + rowPadding;
  const podLeft = (lanes.find(({ name }) => name !== outside)?.left ?? margin) - margin;
  const frame =
    `<rect x="${podLeft}" y="0" width="${width - podLeft}" height="${bottom + margin / 2}" rx="12" fill="#ffffff" stroke="#8c959f"/>\n` +
    `<text class="pod" x="${podLeft + 14}" y="22">pod <tspan font-weight="bold">${escapeText(map.pod)}</tspan> in namespace ${escapeText(map.namespace)}</text>\n`;
  return {
    // Boxes last: an arrow passes behind those that it has nothing to do with, and shines through.
    body: frame + rows.join("") + lanes.map((lane) => drawLane(lane, bottom)).join(""),
    width,
    height: bottom + margin / 2,
  };
}

function drawLane({ name, left, right }: Lane, bottom: number): string {
  const dashes = name === outside ? ' stroke-dasharray="6 4"' : "";
  const middle = (left + right) / 2;
  return (
    `<rect x="${left}" y="${frameHead}" width="${right - left}" height="${bottom - frameHead}" rx="8" fill="#f6f8fa" fill-opacity="0.8" stroke="#6e7781"${dashes}/>\n` +
    `<text class="name" x="${middle}" y="${frameHead + 25}" text-anchor="middle">${escapeText(labelOf(name))}</text>\n` +
    `<line x1="${left}" y1="${frameHead + headHeight - 2}" x2="${right}" y2="${frameHead + headHeight - 2}" stroke="#d0d7de"/>\n`
  );
}

interface TextLine {
  readonly text: string;
  readonly size: number;
  readonly title: boolean;
  /** Room that is taken to its left. */
  readonly indent: number;
}

function textOf({ title, detail, reason, to }: MapArrow): TextLine[] {
  const indent = to === undefined ? stub + stubText : 0;
  const line = (text: string, isTitle: boolean) => ({
    text,
    size: isTitle ? titleSize : textSize,
    title: isTitle,
    indent,
  });
  return [
    ...wrap(title, " ").map((text) => line(text, true)),
    ...wrap(detail, " · ").map((text) => line(text, false)),
    ...(reason === undefined ? [] : wrap(reason, " ").map((text) => line(text, false))),
  ];
}

/** Breaks at separators; a part that is too long for a line is broken anywhere. */
function wrap(text: string, separator: string): string[] {
  const lines = [""];
  for (const part of text.split(separator).flatMap((each) => each.match(/.{1,48}/gsu) ?? [])) {
    const last = lines.at(-1) ?? "";
    const joined = `${last}${separator}${part}`;
    if (last !== "" && joined.length > longestLine) lines.push(part);
    else lines[lines.length - 1] = last === "" ? part : joined;
  }
  return lines;
}

/** The gap (by the lane on its left) in which an arrow's words stand: the first on its way. */
function gapOf(arrow: MapArrow | undefined, places: ReadonlyMap<string, number>): number {
  if (arrow === undefined) return -1;
  const from = places.get(arrow.from) ?? 0;
  const to = arrow.to === undefined ? from : (places.get(arrow.to) ?? from);
  return to < from ? from - 1 : from;
}

/** All gaps that an arrow crosses. */
function gapsOnTheWay(arrow: MapArrow, places: ReadonlyMap<string, number>): number[] {
  const from = places.get(arrow.from) ?? 0;
  const to = arrow.to === undefined ? from : (places.get(arrow.to) ?? from);
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  return left === right ? [left] : Array.from({ length: right - left }, (_, index) => left + index);
}

function drawArrow(
  arrow: MapArrow,
  lines: readonly TextLine[],
  top: number,
  lanes: readonly Lane[],
  places: ReadonlyMap<string, number>,
  gaps: readonly number[],
): string {
  const colour = stateColours[arrow.state];
  const from = lanes[places.get(arrow.from) ?? 0];
  const to = arrow.to === undefined ? undefined : lanes[places.get(arrow.to) ?? 0];
  if (from === undefined) return "";
  const gap = gapOf(arrow, places);
  const gapLeft = lanes[gap]?.right ?? 0;
  const gapRight = lanes[gap + 1]?.left ?? gapLeft + (gaps[gap] ?? 0);
  const titles = lines.filter(({ title }) => title).length;
  const y = top + lineHeight * titles;
  const broken = arrow.state === "Blocked" || arrow.state === "Stale" ? ' stroke-dasharray="6 4"' : "";
  const stroke = `stroke="${colour}" stroke-width="1.8" fill="none"${broken}`;
  if (to === undefined) {
    const ring = from.right + stub;
    return (
      `<line x1="${from.right}" y1="${y}" x2="${ring}" y2="${y}" ${stroke}/>\n` +
      `<circle cx="${ring}" cy="${y}" r="5" fill="#ffffff" stroke="${colour}" stroke-width="1.8"/>\n` +
      words(lines, titles, ring + stubText, "start", y + 4 - lineHeight * (titles - 1), colour)
    );
  }
  const middle = (gapLeft + gapRight) / 2;
  if (to === from) {
    const end = gapRight - gapPadding / 2;
    return (
      `<path d="M ${from.right} ${y} H ${end} v 6 a 6 6 0 0 1 -6 6 H ${from.right + 8}" ${stroke}/>\n` +
      head(from.right, y + 12, -1, colour) +
      words(lines.slice(0, titles), titles, middle, "middle", y - 8 - lineHeight * (titles - 1), colour) +
      words(lines.slice(titles), 0, middle, "middle", y + 12 + lineHeight, colour)
    );
  }
  const sign = to.left > from.left ? 1 : -1;
  const [start, end] = sign > 0 ? [from.right, to.left] : [from.left, to.right];
  const tail =
    arrow.direction === "peers"
      ? head(start, y, -sign, colour)
      : `<circle cx="${start + sign * 3}" cy="${y}" r="3" fill="${colour}"/>\n`;
  return (
    `<line x1="${start}" y1="${y}" x2="${end - sign * 2}" y2="${y}" ${stroke}/>\n${tail}${head(end, y, sign, colour)}` +
    words(lines.slice(0, titles), titles, middle, "middle", y - 8 - lineHeight * (titles - 1), colour) +
    words(lines.slice(titles), 0, middle, "middle", y + lineHeight, colour)
  );
}

function words(
  lines: readonly TextLine[],
  titles: number,
  x: number,
  anchor: "start" | "middle",
  y: number,
  colour: string,
): string {
  return lines
    .map(
      ({ text }, index) =>
        `<text${index < titles ? ' class="title"' : ""} x="${x}" y="${y + index * lineHeight}" text-anchor="${anchor}" fill="${colour}">${escapeText(text)}</text>\n`,
    )
    .join("");
}

/** An arrow's head whose tip is here; `sign` 1 points right. */
function head(x: number, y: number, sign: number, colour: string): string {
  return `<path d="M ${x} ${y} l ${-sign * 10} -5 v 10 z" fill="${colour}"/>\n`;
}

function legend(y: number): string {
  const entries = [
    [stateColours.Active, "active: data moves, or both ends have it open"],
    [stateColours.Idle, "idle or listening"],
    [stateColours.Blocked, "blocked, dashed: the reason is below it"],
  ] as const;
  let x = margin;
  const items = entries.map(([colour, text]) => {
    const item =
      `<line x1="${x}" y1="${y + 8}" x2="${x + 24}" y2="${y + 8}" stroke="${colour}" stroke-width="2.4"/>` +
      `<text x="${x + 30}" y="${y + 12}" fill="#57606a">${text}</text>\n`;
    x += 30 + textWidth(text, textSize) + 24;
    return item;
  });
  const words =
    "An arrow points from who connects, sends or writes to who serves, receives or reads; two heads: shared by both. A ring: nobody there yet.";
  return `${items.join("")}<text x="${margin}" y="${y + 36}" fill="#57606a">${words}</text>\n`;
}

function labelOf(lane: string): string {
  return lane === outside ? "outside" : lane;
}

function textWidth(text: string, size: number): number {
  return Math.ceil([...text].length * size * letterShare);
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
