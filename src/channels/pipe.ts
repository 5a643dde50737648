import { deepObject } from "./deep/transfers.ts";
import { type ChannelFact, distinctEndpoints, endpointOf } from "./fact.ts";
import type { ObservedProcess, PodSnapshot } from "./snapshot.ts";

/**
 * Anonymous pipes that lead from one container to another (passed by SCM_RIGHTS or inherited). Pipes inside one
 * container are its own business; a process that holds both ends, or only one direction all over the pod, is not
 * evidence of anybody talking: the runtime's own standard streams look like that.
 */
export function pipeChannels(snapshot: PodSnapshot): ChannelFact[] {
  const pipes = new Map<number, { writers: Set<ObservedProcess>; readers: Set<ObservedProcess> }>();
  for (const process of snapshot.processes) {
    for (const { kind, inode, access } of process.descriptors) {
      if (kind !== "pipe" || inode === undefined || access === undefined) continue;
      const pipe = pipes.get(inode) ?? { writers: new Set(), readers: new Set() };
      if (access !== "read") pipe.writers.add(process);
      if (access !== "write") pipe.readers.add(process);
      pipes.set(inode, pipe);
    }
  }
  return [...pipes].flatMap(([inode, { writers, readers }]) => {
    const onlyWriters = [...writers].filter((process) => !readers.has(process));
    const onlyReaders = [...readers].filter((process) => !writers.has(process));
    const from = new Set(onlyWriters.map(({ container }) => container));
    const to = new Set(onlyReaders.map(({ container }) => container));
    const crosses = [...from].some((container) => [...to].some((other) => other !== container));
    if (!crosses) return [];
    const deep = deepObject(snapshot, "pipe", inode);
    return [
      {
        key: `Pipe ${inode}`,
        type: "Pipe" as const,
        label: "pipe",
        scope: "InterContainer" as const,
        address: `pipe:[${inode}]`,
        endpoints: distinctEndpoints([
          ...onlyWriters.map((process) => endpointOf(process, "Writer")),
          ...onlyReaders.map((process) => endpointOf(process, "Reader")),
        ]),
        condition: "Open" as const,
        readings: deep.readings,
        evidence: [
          ...deep.evidence,
          { source: "/proc/PID/fd", detail: `pipe:[${inode}] is open in ${[...from, ...to].join(", ")}` },
        ],
      },
    ];
  });
}
