import { type ChannelFact, scopeWithin } from "./fact.ts";
import { type Sharer, sharerEndpoints } from "./mapped.ts";
import type { PodSnapshot } from "./snapshot.ts";
import { volumePath } from "./volume-paths.ts";

/**
 * Regular files of the pod's volumes that several containers have open or mapped at the same time, at least one of
 * them to write. What is opened, written and closed between two looks isn't seen.
 */
export function sharedFileChannels(snapshot: PodSnapshot): ChannelFact[] {
  const { pod } = snapshot;
  const files = new Map<string, { sharers: Sharer[]; label: string; size: number; moved: string[] }>();
  const add = (identity: string, path: string, sharer: Sharer, size: number, moved: string) => {
    const place = volumePath(pod, sharer.process.container, path.replace(/ \(deleted\)$/, ""));
    if (place === undefined) return;
    const entry = files.get(identity) ?? { sharers: [], label: place.label, size: 0, moved: [] };
    entry.sharers.push({ ...sharer, path });
    entry.size = Math.max(entry.size, size);
    entry.moved.push(moved);
    files.set(identity, entry);
  };
  for (const process of snapshot.processes) {
    for (const { kind, identity, link, access, size, position, modifiedAt } of process.descriptors) {
      if (kind !== "file" || identity === undefined) continue;
      const sharer = { process, writes: access !== "read" };
      add(identity, link, sharer, size ?? 0, `${position}/${modifiedAt}`);
    }
    for (const { identity, path, writable } of process.mappings) {
      if (path.startsWith("/")) add(identity, path, { process, writes: writable }, 0, "");
    }
  }
  return [...files].flatMap(([identity, { sharers, label, size, moved }]) => {
    const containers = new Set(sharers.map(({ process }) => process.container));
    if (containers.size < 2 || !sharers.some(({ writes }) => writes)) return [];
    const endpoints = sharerEndpoints(sharers);
    return [
      {
        key: `SharedFile ${identity}`,
        type: "SharedFile" as const,
        label: "file",
        scope: scopeWithin(endpoints),
        address: label,
        size,
        endpoints,
        condition: "Open" as const,
        activity: moved.join(" "),
        readings: [],
        evidence: sharers.map(({ process, writes, path }) => ({
          source: "/proc/PID/fd",
          detail: `${process.container}: ${process.name} has ${path} open ${writes ? "to write" : "to read"}`,
        })),
      },
    ];
  });
}
