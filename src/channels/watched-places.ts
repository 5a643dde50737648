import { readFileFacts } from "../host/proc.ts";
import type { ObservedProcess, WatchedPlace } from "./snapshot.ts";
import type { TableNames } from "./table-names.ts";
import type { ObservedPod } from "./types.ts";
import { findInVolumes } from "./volume-scan.ts";

/** What is not in a volume is not looked for again before. */
const searchAgainMilliseconds = 30_000;

/** Finds what a pod's processes watch with inotify(7): the kernel tells device and inode, but no path. */
export class WatchedPlaces {
  readonly #found = new Map<string, WatchedPlace>();
  #unknown = new Set<string>();
  #searchedAt = Number.NEGATIVE_INFINITY;

  /** Those that are in the pod's volumes, as they are now, by their identity in the kernel's table. Searches the volumes only when something new is watched. */
  of(
    pod: ObservedPod,
    processes: readonly ObservedProcess[],
    names: TableNames,
    now: number,
  ): Map<string, WatchedPlace> {
    const watched = new Set(
      processes.flatMap(({ descriptors }) =>
        descriptors.flatMap(({ kind, identity }) =>
          kind === "watch" && identity !== undefined ? [identity] : [],
        ),
      ),
    );
    const current = new Map<string, WatchedPlace>();
    const missing = new Set<string>();
    for (const identity of watched) {
      const known = this.#found.get(identity);
      const facts = known === undefined ? undefined : readFileFacts(known.hostPath);
      const volume = pod.volumes.find(({ name }) => name === known?.volume);
      const named = facts && volume && names.ofVolume(volume.hostPath)(facts.identity);
      if (known === undefined || facts === undefined || named !== identity) missing.add(identity);
      else current.set(identity, { ...known, modifiedAt: facts.modifiedAt });
    }
    const news = [...missing].some((identity) => !this.#unknown.has(identity));
    if (missing.size > 0 && (news || now - this.#searchedAt > searchAgainMilliseconds)) {
      for (const [identity, place] of findInVolumes(pod, missing, names)) {
        current.set(identity, place);
        missing.delete(identity);
      }
      this.#unknown = missing;
      this.#searchedAt = now;
    }
    this.#found.clear();
    for (const [identity, place] of current) this.#found.set(identity, place);
    return current;
  }
}
