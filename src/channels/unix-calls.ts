import { join } from "node:path";
import { type FileAccess, readFileAccess, readProcessCredentials } from "../host/file-access.ts";
import { readWorkingFolder, resolveInRoot } from "../host/proc.ts";
import type { UnixSocket } from "../host/sockets.ts";
import type { UnixCall } from "../host/unix-call.ts";
import type { AnsweredUnixCall } from "./snapshot.ts";
import type { ObservedContainer, ObservedPod } from "./types.ts";
import { volumePath } from "./volume-paths.ts";

/**
 * Which calls of Unix sockets reached their server. The kernel counts calls, not answers; a call is taken for answered when the
 * same socket was listening at the looks before and after it, the name led to it, and the caller may write to its file (unix(7)). What was called
 * before the first look, or while the server came or went, is not known and left out.
 */
export class UnixCalls {
  #counted: ReadonlyMap<string, number> | undefined;
  readonly #answered = new Map<string, number>();

  /**
   * `calls` by control group of the caller's container; `sockets` as they are after these were counted; `earlier`: inodes of
   * those that were there at the look before.
   */
  answered(
    pod: ObservedPod,
    calls: ReadonlyMap<string, readonly UnixCall[]>,
    sockets: readonly UnixSocket[],
    earlier: ReadonlySet<number>,
  ): AnsweredUnixCall[] {
    const before = this.#counted;
    const counted = new Map<string, number>();
    this.#counted = counted;
    const servers = sockets.filter(
      ({ listening, type, name }) => listening || (type === "datagram" && name !== undefined),
    );
    return pod.containers.flatMap((container) =>
      (calls.get(container.cgroup) ?? []).flatMap((call) => {
        const key = `${container.id} ${call.cgroup} ${call.call} ${call.type} ${call.uid} ${call.gid} ${call.name}`;
        counted.set(key, call.count);
        const abstract = call.name.startsWith("@");
        const file = abstract ? undefined : fileOf(pod, container, call.name);
        const server = servers.find(
          (socket) =>
            socket.type === call.type &&
            (abstract ? socket.name === call.name : file !== undefined && socket.file === file.identity),
        );
        if (server === undefined) return [];
        const last = before?.get(key) ?? 0;
        // A container that called very many has its counts begin anew.
        const news = before === undefined ? 0 : call.count >= last ? call.count - last : call.count;
        if (earlier.has(server.inode) && (file === undefined || mayWrite(container, file, call))) {
          this.#answered.set(key, (this.#answered.get(key) ?? 0) + news);
        }
        const count = this.#answered.get(key) ?? 0;
        const { name } = call;
        return count === 0
          ? []
          : [{ container: container.name, call: call.call, name, server: server.inode, count }];
      }),
    );
  }
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
