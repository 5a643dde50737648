import { type MapArrow, outside, type PodMap, stateColours } from "./channel-map.ts";
import { laneOrder } from "./lane-order.ts";

const titleSize = 13;
const textSize = 12;
/** Average width of a letter of the fonts named in the style, as a share of its size; on the safe side. */
const letterShare = 0.58;
const longestLine = 40;
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

function drawPod(map: PodMap): { body: string; width: number; height: number } {
  const names = laneOrder(map);
  const places = new Map(names.map((name, index) => [name, index]));
  const texts = map.arrows.map((arrow) => textOf(arrow));
  const boxWidth = (name: string) =>
    Math.max(narrowestBox, textWidth(labelOf(name), 14) + boxPadding) + boxPadding / 2;
  // The gap to the right of a lane is as wide as the widest words in it.
  const gaps = names.map((_, index) => {
    const inGap = texts.filter((_, arrow) => gapOf(map.arrows[arrow], places) === index);
    const widest = Math.max(0, ...inGap.flat().map(({ text, size }) => textWidth(text, size)));
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
  let y = frameHead + headHeight + rowPadding;
  const rows = map.arrows.map((arrow, index) => {
    const lines = texts[index] ?? [];
    const row = drawArrow(arrow, lines, y, lanes, places, gaps);
    y += lines.length * lineHeight + 2 * rowPadding;
    return row;
  });
  const bottom = y + rowPadding;
  const podLeft = (lanes.find(({ name }) => name !== outside)?.left ?? margin) - margin;
  const frame =
    `<rect x="${podLeft}" y="0" width="${width - podLeft}" height="${bottom + margin / 2}" rx="12" fill="#ffffff" stroke="#8c959f"/>\n` +
    `<text class="pod" x="${podLeft + 14}" y="22">pod <tspan font-weight="bold">${escapeText(map.pod)}</tspan> in namespace ${escapeText(map.namespace)}</text>\n`;
  return {
    body: frame + lanes.map((lane) => drawLane(lane, bottom)).join("") + rows.join(""),
    width,
    height: bottom + margin / 2,
  };
}

function drawLane({ name, left, right }: Lane, bottom: number): string {
  const dashes = name === outside ? ' stroke-dasharray="6 4"' : "";
  const middle = (left + right) / 2;
  return (
    `<rect x="${left}" y="${frameHead}" width="${right - left}" height="${bottom - frameHead}" rx="8" fill="#f6f8fa" stroke="#6e7781"${dashes}/>\n` +
    `<text class="name" x="${middle}" y="${frameHead + 25}" text-anchor="middle">${escapeText(labelOf(name))}</text>\n` +
    `<line x1="${left}" y1="${frameHead + headHeight - 2}" x2="${right}" y2="${frameHead + headHeight - 2}" stroke="#d0d7de"/>\n`
  );
}

interface TextLine {
  readonly text: string;
  readonly size: number;
  readonly title: boolean;
}

function textOf({ title, detail, reason, to }: MapArrow): TextLine[] {
  const line = (text: string, isTitle: boolean) => ({
    text,
    size: isTitle ? titleSize : textSize,
    title: isTitle,
  });
  return [
    ...wrap(title).map((text) => line(text, true)),
    ...wrap(to === undefined && detail.startsWith("listening") ? `nobody connected · ${detail}` : detail).map(
      (text) => line(text, false),
    ),
    ...(reason === undefined ? [] : wrap(reason).map((text) => line(text, false))),
  ];
}

/** Breaks at spaces; a word that is too long for a line is broken anywhere. */
function wrap(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ").flatMap((each) => each.match(/.{1,40}/gsu) ?? [])) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && last.length + 1 + word.length > longestLine) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
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
  const gap = gapOf(arrow, places);
  const gapLeft = lanes[gap]?.right ?? 0;
  const gapRight = lanes[gap + 1]?.left ?? gapLeft + (gaps[gap] ?? 0);
  const y = top + lineHeight + 5;
  const middle = (gapLeft + gapRight) / 2;
  const words = lines
    .map(({ text, title }, index) => {
      // Titles stand on the arrow, the rest under it.
      const titles = lines.filter((line) => line.title).length;
      const offset = title
        ? top + lineHeight * (index - titles + 2) - 4
        : y + 4 + lineHeight * (index - titles + 1);
      return `<text${title ? ' class="title"' : ""} x="${middle}" y="${offset}" text-anchor="middle" fill="${colour}">${escapeText(text)}</text>\n`;
    })
    .join("");
  if (from === undefined) return words;
  const broken = arrow.state === "Blocked" || arrow.state === "Stale" ? ' stroke-dasharray="6 4"' : "";
  const stroke = `stroke="${colour}" stroke-width="1.8" fill="none"${broken}`;
  if (to === undefined) {
    const end = gapRight - gapPadding / 3;
    return (
      `<line x1="${from.right}" y1="${y}" x2="${end}" y2="${y}" ${stroke}/>\n` +
      `<circle cx="${end}" cy="${y}" r="5" fill="#ffffff" stroke="${colour}" stroke-width="1.8"/>\n${words}`
    );
  }
  if (to === from) {
    const end = gapRight - gapPadding / 3;
    return (
      `<path d="M ${from.right} ${y} H ${end} v 9 a 6 6 0 0 1 -6 6 H ${from.right + 1}" ${stroke}/>\n` +
      `${head(from.right, y + 15, -1, colour)}${words.replaceAll(/ y="([\d.]+)"/g, (_, at) => ` y="${Number(at) > y ? Number(at) + 15 : at}"`)}`
    );
  }
  const rightwards = to.left > from.left;
  const [start, end] = rightwards ? [from.right, to.left] : [from.left, to.right];
  const sign = rightwards ? 1 : -1;
  return (
    `<line x1="${start}" y1="${y}" x2="${end - sign * 2}" y2="${y}" ${stroke}/>\n` +
    (arrow.direction === "peers"
      ? head(start, y, -sign, colour)
      : `<circle cx="${start}" cy="${y}" r="3" fill="${colour}"/>\n`) +
    head(end, y, sign, colour) +
    words
  );
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
