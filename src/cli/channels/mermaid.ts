import { type MapArrow, outside, type PodMap, stateColours } from "./channel-map.ts";

/** The maps as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html), which Markdown viewers draw. */
export function formatMermaid(maps: readonly PodMap[]): string {
  const styles: string[] = [];
  const lines = maps.flatMap((map, index) => {
    const id = (name: string) => {
      const place = map.containers.indexOf(name);
      return place < 0 ? `p${index}_outside` : `p${index}_c${place}`;
    };
    const edges = map.arrows.map((arrow, number) => {
      const to = arrow.to === undefined ? `p${index}_l${number}(${quote(arrow.title)})` : id(arrow.to);
      styles.push(`  linkStyle ${styles.length} stroke:${stateColours[arrow.state]}`);
      return `  ${id(arrow.from)} ${link(arrow)}|${quote(labelOf(arrow))}| ${to}`;
    });
    return [
      ...(map.hasOutside ? [`  ${id(outside)}(["outside the pod"])`] : []),
      `  subgraph p${index}[${quote(`pod ${map.namespace}/${map.pod}`)}]`,
      ...map.containers.map((name) => `    ${id(name)}[${quote(name)}]`),
      "  end",
      ...edges,
    ];
  });
  return `${["flowchart LR", ...lines, ...styles].join("\n")}\n`;
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
    .join("<br/>");
}

/** Mermaid's strings have no escape but HTML entities. */
function quote(text: string): string {
  return `"${text.replaceAll("&", "#amp;").replaceAll('"', "#quot;")}"`;
}
