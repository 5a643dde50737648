import { type ChannelFact, endpointOf } from "./fact.ts";
import type { PodSnapshot } from "./snapshot.ts";

/**
 * Files and folders of a volume that a container watches with inotify(7), such as a configuration that another one
 * replaces by rename(2). Who changes it is open for an instant only, so the watcher is the one end that can be shown. A
 * volume that nobody else mounts is no channel.
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
      facts.set(key, {
        key,
        type: "SharedFile",
        label: "file",
        scope: "InterContainer",
        address: place.label,
        endpoints: [endpointOf(process, "Reader")],
        condition: "Open",
        activity: `${place.modifiedAt}`,
        readings: [],
        evidence: [
          {
            source: "/proc/PID/fdinfo",
            detail: `${container}: ${process.name} watches ${place.label} (inotify), changed ${new Date(place.modifiedAt).toISOString()}; who changes it is not known`,
          },
        ],
      });
    }
  }
  return [...facts.values()];
}
