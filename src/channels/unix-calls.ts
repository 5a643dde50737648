import { join } from "node:path";
import { type FileAccess, readFileAccess, readProcessCredentials } from "../host/file-access.ts";
import { readWorkingFolder, resolveInRoot } from "../host/proc.ts";
import type { UnixSocket } from "../host/sockets.ts";
import type { UnixCall } from "../host/unix-call.ts";
import type { AnsweredUnixCall, UnservedUnixCall } from "./snapshot.ts";
import type { ObservedContainer, ObservedPod } from "./types.ts";
import { volumePath } from "./volume-paths.ts";

/** What became of calls. */
export interface UnixCallOutcomes {
  readonly answered: readonly AnsweredUnixCall[];
  readonly unserved: readonly UnservedUnixCall[];
}

/**
 * Which calls of Unix sockets reached their server, and which found nobody. The kernel counts calls, not answers; a call is
 * taken for answered when the same socket was listening at the looks before and after it, the name led to it, and the caller
 * may write to its file (unix(7)). A call of a path in a volume that containers share found nobody when at both looks
 * nothing listened there. What was called before the first look, or while the server came or went, is not known and left out.
 */
export class UnixCalls {
  #counted: ReadonlyMap<string, number> | undefined;
  /** Places on which nothing listened at the look before. */
  #unserved: ReadonlySet<string> = new Set();
  readonly #answered = new Map<string, number>();
  readonly #inVain = new Map<string, number>();

  /**
   * `calls` by control group of the caller's container; `sockets` as they are after these were counted; `earlier`: inodes of
   * those that were there at the look before.
   */
  outcomes(
    pod: ObservedPod,
    calls: ReadonlyMap<string, readonly UnixCall[]>,
    sockets: readonly UnixSocket[],
    earlier: ReadonlySet<number>,
  ): UnixCallOutcomes {
    const before = this.#counted;
    const counted = new Map<string, number>();
    const nowUnserved = new Set<string>();
    const answered: AnsweredUnixCall[] = [];
    const unserved: UnservedUnixCall[] = [];
    const servers = sockets.filter(
      ({ listening, type, name }) => listening || (type === "datagram" && name !== undefined),
    );
    for (const container of pod.containers) {
      for (const call of calls.get(container.cgroup) ?? []) {
        const { cgroup, uid, gid, type, name } = call;
        const key = `${container.id} ${cgroup} ${call.call} ${type} ${uid} ${gid} ${name}`;
        const last = before?.get(key) ?? 0;
        // A container that called very many has its counts begin anew.
        const news = before === undefined ? 0 : call.count >= last ? call.count - last : call.count;
        counted.set(key, call.count);
        const abstract = name.startsWith("@");
        const file = abstract ? undefined : fileOf(pod, container, name);
        const isAt = (socket: UnixSocket) =>
          abstract ? socket.name === name : file !== undefined && socket.file === file.identity;
        const server = servers.find((socket) => socket.type === type && isAt(socket));
        if (server !== undefined) {
          this.#inVain.delete(key);
          const isSure = earlier.has(server.inode) && (file === undefined || mayWrite(container, file, call));
          const count = grow(this.#answered, key, isSure ? news : 0);
          if (count > 0) {
            answered.push({ container: container.name, call: call.call, name, server: server.inode, count });
          }
          continue;
        }
        const label = abstract ? undefined : sharedLabel(pod, container.name, name);
        if (label === undefined || call.call !== "connect" || servers.some(isAt)) continue;
        nowUnserved.add(label);
        const count = grow(this.#inVain, key, this.#unserved.has(label) ? news : 0);
        if (count > 0) unserved.push({ container: container.name, type, name, label, count });
      }
    }
    for (const known of [this.#answered, this.#inVain]) {
      for (const key of known.keys()) if (!counted.has(key)) known.delete(key);
    }
    this.#counted = counted;
    this.#unserved = nowUnserved;
    return { answered: summed(answered), unserved: summed(unserved) };
  }
}

/** Several users and control groups of one container may call the same socket: that is one channel. */
function summed<Call extends { readonly count: number }>(calls: readonly Call[]): Call[] {
  const same = Map.groupBy(calls, ({ count: _, ...rest }) => JSON.stringify(rest));
  return [...same.values()].flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : [{ ...first, count: others.reduce((sum, { count }) => sum + count, first.count) }],
  );
}

function grow(counts: Map<string, number>, key: string, by: number): number {
  const count = (counts.get(key) ?? 0) + by;
  counts.set(key, count);
  return count;
}

/** `VOLUME:/path` of a path in a volume that another container mounts, too. */
function sharedLabel(pod: ObservedPod, container: string, path: string): string | undefined {
  const place = volumePath(pod, container, path);
  const isShared = place?.volume.mounts.some((mount) => mount.container !== container);
  return isShared === true ? place?.label : undefined;
}

/** The file that a path leads to in a container. */
function fileOf(pod: ObservedPod, { name, pid }: ObservedContainer, path: string): FileAccess | undefined {
  const whole = join(path.startsWith("/") ? "" : (readWorkingFolder(pid) ?? ""), path);
  const hostPath = volumePath(pod, name, whole)?.hostPath ?? resolveInRoot(pid, whole);
  return hostPath === undefined ? undefined : readFileAccess(hostPath);
}

/** By the classes of inode(7); groups beside the caller's own are those of the container's first process. */
function mayWrite({ pid }: ObservedContainer, file: FileAccess, { uid, gid }: UnixCall): boolean {
  const credentials = readProcessCredentials(pid);
  if (credentials?.uid === uid && credentials.overrides) return true;
  if (uid === file.uid) return (file.mode & 0o200) !== 0;
  const groups = [gid, ...(credentials?.groups ?? [])];
  return (file.mode & (groups.includes(file.gid) ? 0o020 : 0o002)) !== 0;
}
