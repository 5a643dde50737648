import { posix } from "node:path";
import { type ChannelFact, distinctEndpoints, endpointOf, partyOf } from "./fact.ts";
import type { FileUse, PodSnapshot, WatchedPlace } from "./snapshot.ts";

/**
 * Files and folders of a volume that a container watches with inotify(7), such as a configuration that another one
 * replaces by rename(2). Who writes there has a file open for an instant only: events tell (`snapshot.fileUses`), or
 * else the watcher is the one end that can be shown. A volume that nobody else mounts is no channel.
 */
export function watchedFileChannels(snapshot: PodSnapshot): ChannelFact[] {
  const { pod, watched, processes } = snapshot;
  const facts = new Map<string, ChannelFact>();
  for (const process of processes) {
    for (const { kind, identity } of process.descriptors) {
      const place = kind === "watch" && identity !== undefined ? watched.get(identity) : undefined;
      if (place === undefined) continue;
      const { container } = process;
      const key = `SharedFile watched ${container} ${place.label}`;
      const mounts = pod.volumes.find(({ name }) => name === place.volume)?.mounts ?? [];
      if (facts.has(key) || mounts.every((mount) => mount.container === container)) continue;
      const writes = writesAt(place, snapshot).filter((use) => use.container !== container);
      const who = writes.length === 0 ? "; who changes it is not known" : "";
      facts.set(key, {
        key,
        type: "SharedFile",
        label: "file",
        scope: "InterContainer",
        address: place.label,
        endpoints: distinctEndpoints([
          ...writes.map((use) => endpointOf(partyOf(use), "Writer")),
          endpointOf(process, "Reader"),
        ]),
        condition: "Open",
        activity: `${place.modifiedAt}`,
        readings: [],
        evidence: [
          {
            source: "/proc/PID/fdinfo",
            detail: `${container}: ${process.name} watches ${place.label} (inotify), changed ${new Date(place.modifiedAt).toISOString()}${who}`,
          },
          ...writes.map((use) => ({
            source: "fanotify",
            detail: `${use.container}: ${use.process ?? `PID ${use.hostPID}`} wrote ${use.label}`,
          })),
        ],
      });
    }
  }
  return [...facts.values()];
}

/** Who wrote the file, or a file in the folder. */
function writesAt(place: WatchedPlace, { fileUses }: PodSnapshot): FileUse[] {
  const folder = place.label.replace(/\/$/, "");
  return fileUses.filter(
    ({ access, label }) => access === "write" && (label === place.label || posix.dirname(label) === folder),
  );
}
