import { join } from "node:path";
import { type FileAccess, readFileAccess, readProcessCredentials } from "../host/file-access.ts";
import { readWorkingFolder, resolveInRoot } from "../host/proc.ts";
import type { UnixSocket } from "../host/sockets.ts";
import type { UnixCall } from "../host/unix-call.ts";
import type { AnsweredUnixCall } from "./snapshot.ts";
import type { ObservedPod } from "./types.ts";
import { volumePath } from "./volume-paths.ts";

/**
 * Which calls of Unix sockets reached their server. The kernel counts calls, not answers; a call is taken for answered when the
 * same socket was listening at the looks before and after it, the name led to it, and the caller may write to its file (unix(7)). What was called
 * before the first look, or while the server came or went, is not known and left out.
 */
export class UnixCalls {
  #counted: ReadonlyMap<string, number> | undefined;
  readonly #answered = new Map<string, number>();

  /** `sockets` as they are after `calls` were counted; `earlier`: inodes of those that were there at the look before. */
  answered(
    pod: ObservedPod,
    calls: readonly UnixCall[],
    sockets: readonly UnixSocket[],
    earlier: ReadonlySet<number>,
  ): AnsweredUnixCall[] {
    const before = this.#counted;
    this.#counted = new Map(calls.map((call) => [keyOf(call), call.count]));
    const servers = sockets.filter(
      ({ listening, type, name }) => listening || (type === "datagram" && name !== undefined),
    );
    return calls.flatMap((call) => {
      const key = keyOf(call);
      const file = call.name.startsWith("@") ? undefined : fileOf(pod, call);
      const server = servers.find(
        (socket) =>
          socket.type === call.type &&
          (call.name.startsWith("@")
            ? socket.name === call.name
            : file !== undefined && socket.file === file.identity),
      );
      if (server === undefined) return [];
      const last = before?.get(key) ?? 0;
      // A container that called very many has its counts begin anew.
      const news = before === undefined ? 0 : call.count >= last ? call.count - last : call.count;
      if (earlier.has(server.inode) && (file === undefined || mayWrite(pod, file, call))) {
        this.#answered.set(key, (this.#answered.get(key) ?? 0) + news);
      }
      const count = this.#answered.get(key) ?? 0;
      const { container, name } = call;
      return count === 0 ? [] : [{ container, call: call.call, name, server: server.inode, count }];
    });
  }
}

function keyOf({ container, call, type, name, uid, gid }: UnixCall): string {
  return `${container} ${call} ${type} ${uid} ${gid} ${name}`;
}

/** The file that the caller's path leads to. */
function fileOf(pod: ObservedPod, { container, name }: UnixCall): FileAccess | undefined {
  const pid = pod.containers.find((each) => each.name === container)?.pid;
  const folder = name.startsWith("/") || pid === undefined ? "" : (readWorkingFolder(pid) ?? "");
  const path = join(folder, name);
  const hostPath =
    volumePath(pod, container, path)?.hostPath ?? (pid === undefined ? undefined : resolveInRoot(pid, path));
  return hostPath === undefined ? undefined : readFileAccess(hostPath);
}

/** By the classes of inode(7); groups beside the caller's own are those of the container's first process. */
function mayWrite(pod: ObservedPod, file: FileAccess, { container, uid, gid }: UnixCall): boolean {
  const first = pod.containers.find(({ name }) => name === container);
  const credentials = first === undefined ? undefined : readProcessCredentials(first.pid);
  if (credentials?.uid === uid && credentials.overrides) return true;
  if (uid === file.uid) return (file.mode & 0o200) !== 0;
  const groups = [gid, ...(credentials?.groups ?? [])];
  return (file.mode & (groups.includes(file.gid) ? 0o020 : 0o002)) !== 0;
}
