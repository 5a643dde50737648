import { channelMaps } from "./channel-map.ts";
import { type Look, shownRows } from "./look.ts";

/** The `-o` values that draw a map. */
export const mapFormats = ["dot", "mermaid", "svg"] as const;

export type MapFormat = (typeof mapFormats)[number];

/** Draws a look's pods and their channels; closed channels are history and left out. */
export async function drawMap(format: MapFormat, look: Look, all: boolean): Promise<string> {
  const channels = shownRows(look, all)
    .map(({ channel }) => channel)
    .filter(({ status }) => status.state !== "Closed");
  const maps = channelMaps(channels, new Map(Object.entries(look.containers)));
  switch (format) {
    case "dot":
      return (await import("./dot.ts")).formatDot(maps);
    case "mermaid":
      return (await import("./mermaid.ts")).formatMermaid(maps);
    case "svg":
      return (await import("./svg.ts")).formatSvg(maps);
  }
}
