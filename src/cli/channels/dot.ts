import { type MapArrow, outside, type PodMap, stateColours } from "./channel-map.ts";

/** The maps in Graphviz' language (https://graphviz.org/doc/info/lang.html): a cluster per pod, a node per container. */
export function formatDot(maps: readonly PodMap[]): string {
  const lines = maps.flatMap((map, index) => {
    const id = (name: string) => quote(`${index}/${name}`);
    return [
      ...(map.hasOutside ? [`  ${id(outside)} [label="outside the pod", style=dashed];`] : []),
      `  subgraph ${quote(`cluster_${index}`)} {`,
      `    label=${quote(`pod ${map.namespace}/${map.pod}`)}; style=rounded; color="#8c959f";`,
      ...map.containers.map((name) => `    ${id(name)} [label=${quote(name)}];`),
      ...map.arrows.flatMap((arrow, number) => listener(arrow, id(`listens ${number}`))),
      "  }",
      ...map.arrows.map((arrow, number) => {
        const to = id(arrow.to ?? `listens ${number}`);
        return `  ${id(arrow.from)} -> ${to} [${attributes(arrow)}];`;
      }),
    ];
  });
  return [
    "digraph channels {",
    '  rankdir=LR; fontname="Helvetica"; nodesep=0.6; ranksep=1.6;',
    '  node [shape=box, style="rounded,filled", fillcolor="#f6f8fa", fontname="Helvetica", margin="0.25,0.15"];',
    '  edge [fontname="Helvetica", fontsize=10];',
    ...lines,
    "}\n",
  ].join("\n");
}

function listener({ to, title }: MapArrow, id: string): string[] {
  return to === undefined ? [`    ${id} [shape=plaintext, style="", label=${quote(title)}];`] : [];
}

function attributes({ to, direction, title, detail, reason, state }: MapArrow): string {
  const colour = stateColours[state];
  const text = [...(to === undefined ? [] : [title]), detail, ...(reason === undefined ? [] : [reason])];
  return [
    `label=${quote(text.join("\n"))}`,
    `color="${colour}"`,
    `fontcolor="${colour}"`,
    ...(to === undefined ? ["arrowhead=none"] : direction === "peers" ? ["dir=both"] : []),
    ...(state === "Blocked" || state === "Stale" ? ["style=dashed"] : []),
  ].join(", ");
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
