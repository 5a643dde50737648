import { systemCallName } from "../host/waiting-calls.ts";
import { type ChannelFact, scopeWithin } from "./fact.ts";
import { type Sharer, sharerEndpoints } from "./mapped.ts";
import type { ObservedProcess, PodSnapshot } from "./snapshot.ts";
import type { Evidence } from "./types.ts";

/**
 * POSIX shared memory and named semaphores: files in the pod's one /dev/shm, told apart by device and inode, since
 * glibc renames them while it makes them. Who maps one or has it open shares it; the kernel counts nothing.
 */
export function posixSharedMemoryChannels(snapshot: PodSnapshot): ChannelFact[] {
  const files = new Map(
    snapshot.files.flatMap((file) =>
      file.kind === "file" && file.volume === undefined ? [[file.identity, file] as const] : [],
    ),
  );
  const shared = new Map<string, { sharers: Sharer<ObservedProcess>[]; name: string; size: number }>();
  const add = (identity: string, path: string, sharer: Sharer<ObservedProcess>, size: number) => {
    const file = files.get(identity);
    const inShm = file !== undefined || (path.startsWith("/dev/shm/") && deletedName.test(path));
    if (!inShm) return;
    const name = file?.label ?? path.slice("/dev/shm".length);
    const entry = shared.get(identity) ?? { sharers: [], name, size: file?.size ?? size };
    entry.sharers.push(sharer);
    shared.set(identity, entry);
  };
  for (const process of snapshot.processes) {
    for (const { identity, path, writable, start, end } of process.mappings) {
      add(identity, path, { process, writes: writable }, Number(end - start));
    }
    // Last, so that a mapping's rights count where a process has both.
    for (const { kind, identity, link, access, size } of process.descriptors) {
      if (kind !== "file" || identity === undefined) continue;
      if (shared.get(identity)?.sharers.some((sharer) => sharer.process === process)) continue;
      add(identity, link, { process, writes: access !== "read" }, size ?? 0);
    }
  }
  return [...shared].map(([identity, { sharers, name, size }]) => {
    const semaphore = name.startsWith("/sem.");
    const endpoints = sharerEndpoints(sharers);
    const shownName = semaphore ? `/${name.slice("/sem.".length)}` : name;
    const type = semaphore ? ("POSIXSemaphore" as const) : ("POSIXSharedMemory" as const);
    return {
      key: `${type} ${identity}`,
      type,
      label: semaphore ? "posix-sem" : "posix-shm",
      scope: endpoints.length === 1 ? ("IntraContainer" as const) : scopeWithin(endpoints),
      address: shownName,
      size,
      endpoints,
      condition: "Open" as const,
      readings: [],
      evidence: [
        ...sharers.map(({ process, writes }) => ({
          source: "/proc/PID/maps",
          detail: `${process.container}: ${process.name} shares /dev/shm${name} ${writes ? "to read and write" : "to read"}`,
        })),
        ...sharers.flatMap(({ process }) => waitEvidence(process, identity, semaphore)),
      ],
    };
  });
}

/** A thread that sleeps on a word of the memory: sem_wait(3), or a mutex or condition that processes share. */
function waitEvidence(process: ObservedProcess, identity: string, semaphore: boolean): Evidence[] {
  const waits = process.calls.some(
    ({ number, args: [address = 0n] }) =>
      systemCallName(number) === "futex" &&
      process.mappings.some(
        (mapping) => mapping.identity === identity && address >= mapping.start && address < mapping.end,
      ),
  );
  if (!waits) return [];
  const what = semaphore ? "in sem_wait(3); who posts can't be seen" : "for a word in it (futex)";
  return [{ source: "/proc/PID/syscall", detail: `${process.container}: ${process.name} waits ${what}` }];
}

const deletedName = / \(deleted\)$/;
