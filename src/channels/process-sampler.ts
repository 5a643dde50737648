import { join } from "node:path";
import { processesByOneHierarchy } from "../host/cgroups.ts";
import {
  isMessageQueue,
  parseSharedMappings,
  readDescriptorInfo,
  readDescriptors,
  readFileFacts,
  readMemory,
  readMemoryString,
  readProcessIdentity,
  readProcFile,
  readWaitingCalls,
  readWatches,
  readWorkingFolder,
  resolveInRoot,
  type SharedMapping,
} from "../host/proc.ts";
import { descendantsOf } from "../host/processes.ts";
import { systemCallName } from "../host/waiting-calls.ts";
import type { Access, Descriptor, ObservedProcess, WaitingOpen } from "./snapshot.ts";
import type { ObservedContainer, ObservedPod } from "./types.ts";
import { volumePath } from "./volume-paths.ts";

/** Mappings are read again only when a process' memory changed in size. */
export type MappingCache = Map<
  number,
  { readonly size: string; readonly mappings: readonly SharedMapping[] }
>;

/** All processes of a pod's containers, those that were sent in by exec too. */
export function sampleProcesses(pod: ObservedPod, cache: MappingCache): ObservedProcess[] {
  const alive = new Set<number>();
  const processes = pod.containers.flatMap((container) =>
    processesOf(container).flatMap((hostPID) => {
      const identity = readProcessIdentity(hostPID);
      if (identity === undefined) return [];
      alive.add(hostPID);
      return [
        {
          container: container.name,
          hostPID,
          pid: identity.namespacePID,
          name: identity.name,
          descriptors: sampleDescriptors(hostPID),
          mappings: sampleMappings(hostPID, cache),
          calls: readWaitingCalls(hostPID),
        },
      ];
    }),
  );
  for (const pid of cache.keys()) if (!alive.has(pid)) cache.delete(pid);
  return processes.sort((a, b) => a.hostPID - b.hostPID);
}

function processesOf(container: ObservedContainer): readonly number[] {
  const pids = processesByOneHierarchy(container.cgroup);
  return pids.length > 0 ? pids : [container.pid, ...descendantsOf(container.pid)];
}

const socketOrPipe = /^(socket|pipe):\[(\d+)\]$/;

function sampleDescriptors(pid: number): Descriptor[] {
  return readDescriptors(pid).flatMap(({ fd, link }): Descriptor[] => {
    const match = socketOrPipe.exec(link);
    if (match !== null) {
      const kind = match[1] === "socket" ? ("socket" as const) : ("pipe" as const);
      const access = kind === "pipe" ? readDescriptorInfo(pid, fd)?.access : undefined;
      return [{ ...bare, fd, link, kind, inode: Number(match[2]), access }];
    }
    if (link === "anon_inode:inotify") {
      return readWatches(pid, fd).map((identity) => ({
        ...bare,
        fd,
        link,
        kind: "watch",
        inode: undefined,
        identity,
        access: undefined,
      }));
    }
    const device = link.startsWith("/dev/") && !link.startsWith("/dev/shm/");
    if (!link.startsWith("/") || device || link.startsWith("/proc/") || link.startsWith("/sys/")) return [];
    const facts = readFileFacts(`/proc/${pid}/fd/${fd}`);
    if (facts === undefined || (facts.kind !== "fifo" && facts.kind !== "file")) return [];
    const info = readDescriptorInfo(pid, fd);
    // A queue's link is its name, which has one slash; asking the file system costs a system call.
    const isQueue = facts.kind === "file" && link.lastIndexOf("/") === 0 && isMessageQueue(pid, fd);
    return [
      {
        fd,
        link,
        kind: isQueue ? ("queue" as const) : facts.kind,
        inode: undefined,
        identity: facts.identity,
        access: info?.access,
        position: info?.position,
        size: facts.size,
        modifiedAt: facts.modifiedAt,
      },
    ];
  });
}

const bare = {
  identity: undefined,
  position: undefined,
  size: undefined,
  modifiedAt: undefined,
};

function sampleMappings(pid: number, cache: MappingCache): readonly SharedMapping[] {
  // Any mapping made or removed changes the first field, the size of the address space in pages.
  const size = readProcFile(`/proc/${pid}/statm`)?.split(" ")[0] ?? "";
  const cached = cache.get(pid);
  if (cached?.size === size) return cached.mappings;
  const mappings = parseSharedMappings(readProcFile(`/proc/${pid}/maps`) ?? "");
  cache.set(pid, { size, mappings });
  return mappings;
}

/** Which processes wait in open(2) of which FIFOs; the paths come out of their memory, which is only read. */
export function waitingOpens(pod: ObservedPod, processes: readonly ObservedProcess[]): WaitingOpen[] {
  return processes.flatMap((process) =>
    process.calls.flatMap(({ number, args }): WaitingOpen[] => {
      const call = openCall(process.hostPID, systemCallName(number), args);
      if (call === undefined) return [];
      const { path, access } = call;
      const hostPath =
        volumePath(pod, process.container, path)?.hostPath ?? resolveInRoot(process.hostPID, path);
      const facts = hostPath === undefined ? undefined : readFileFacts(hostPath);
      return facts?.kind === "fifo" ? [{ process, identity: facts.identity, path, access }] : [];
    }),
  );
}

const currentFolder = 0xffff_ff9cn; // AT_FDCWD as an unsigned int

function openCall(
  pid: number,
  name: string | undefined,
  args: readonly bigint[],
): { path: string; access: Access } | undefined {
  if (name !== "open" && name !== "openat" && name !== "openat2") return undefined;
  const [first = 0n, second = 0n, third = 0n] = args;
  const path = readMemoryString(pid, name === "open" ? first : second);
  if (path === undefined || path === "") return undefined;
  const flags = name === "open" ? second : name === "openat" ? third : openHowFlags(pid, third);
  const access = (["read", "write", "both", "both"] as const)[Number(flags & 3n)] ?? "both";
  if (path.startsWith("/")) return { path, access };
  const folder =
    name === "open" || BigInt.asUintN(32, first) === currentFolder
      ? readWorkingFolder(pid)
      : readDescriptors(pid).find(({ fd }) => fd === Number(first))?.link;
  return folder === undefined ? undefined : { path: join(folder, path), access };
}

/** The flags of openat2(2) are the first word of its struct open_how. */
function openHowFlags(pid: number, address: bigint): bigint {
  const how = readMemory(pid, address, 8);
  return how === undefined || how.length < 8 ? 3n : how.readBigUInt64LE(0);
}
