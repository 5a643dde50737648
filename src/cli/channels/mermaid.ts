import { type MapArrow, outside, type PodMap, stateColours } from "./channel-map.ts";

/** Room between a pod's title and what is below it, where arrows' words would lie on the title. */
const settings = '%%{init: {"flowchart": {"subGraphTitleMargin": {"top": 4, "bottom": 24}}}}%%';

/** The maps as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html), which Markdown viewers draw. */
export function formatMermaid(maps: readonly PodMap[]): string {
  const styles: string[] = [];
  const lines = maps.flatMap((map, index) => {
    const id = (name: string) => {
      const place = map.containers.indexOf(name);
      return place < 0 ? `p${index}_outside` : `p${index}_c${place}`;
    };
    const listener = (number: number) => `p${index}_l${number}`;
    const edges = map.arrows.map((arrow, number) => {
      const to = arrow.to === undefined ? listener(number) : id(arrow.to);
      const colour = stateColours[arrow.state];
      styles.push(`  linkStyle ${styles.length} stroke:${colour},color:${colour}`);
      return `  ${id(arrow.from)} ${link(arrow)}|${quote(labelOf(arrow))}| ${to}`;
    });
    return [
      ...(map.hasOutside ? [`  ${id(outside)}(["outside the pod"])`] : []),
      `  subgraph p${index}[${quote(`pod ${map.namespace}/${map.pod}`)}]`,
      ...map.containers.map((name) => `    ${id(name)}[${quote(name)}]`),
      ...map.arrows.flatMap(({ to, title }, number) =>
        to === undefined ? [`    ${listener(number)}(${quote(title)})`] : [],
      ),
      "  end",
      ...edges,
    ];
  });
  return `${[settings, "flowchart TB", ...lines, ...styles].join("\n")}\n`;
}

function link({ to, direction, state }: MapArrow): string {
  const broken = state === "Blocked" || state === "Stale";
  if (to === undefined) return broken ? "-.-" : "---";
  if (direction === "peers") return broken ? "<-.->" : "<-->";
  return broken ? "-.->" : "-->";
}

function labelOf({ to, title, detail, reason }: MapArrow): string {
  return [to === undefined ? undefined : title, detail, reason]
    .filter((part) => part !== undefined)
    .flatMap((part) => part.split(" · "))
    .join("<br/>");
}

/** Mermaid's strings have no escape but its own entities, `#NUMBER;`; it takes the text for HTML and for Markdown. */
function quote(text: string): string {
  const escaped = text.replace(/[#&"`*_\\]|<(?!br\/>)|(?<!<br\/)>/g, (letter) => `#${letter.charCodeAt(0)};`);
  return `"${escaped}"`;
}
