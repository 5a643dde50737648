import type { ChannelFact } from "./fact.ts";
import { sharedFileChannels } from "./shared-file.ts";
import type { PodSnapshot } from "./snapshot.ts";
import { watchedFileChannels } from "./watched-file.ts";

/** Files of volumes that containers use and watch. Who watches a file that he reads as well is one end of one channel. */
export function fileChannels(snapshot: PodSnapshot): ChannelFact[] {
  const watched = watchedFileChannels(snapshot);
  const isSame = (used: ChannelFact, watch: ChannelFact) =>
    used.address === watch.address &&
    watch.endpoints.every(({ container }) => used.endpoints.some((end) => end.container === container));
  const used = sharedFileChannels(snapshot).map((fact) => ({
    ...fact,
    evidence: [
      ...fact.evidence,
      ...watched.filter((watch) => isSame(fact, watch)).flatMap(({ evidence }) => evidence.slice(0, 1)),
    ],
  }));
  return [...used, ...watched.filter((watch) => !used.some((fact) => isSame(fact, watch)))];
}
