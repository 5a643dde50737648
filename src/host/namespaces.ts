import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { uncancelled } from "../base/scope.ts";
import { runCommand } from "./command.ts";
import { unmount } from "./mounts.ts";
import { smallTables } from "./small-tables.ts";
import { namespaceFlags, type SystemCalls, systemCalls } from "./system-calls.ts";
import { pinOwnedNamespaces, type UserNamespace } from "./user-namespace.ts";

/** Files to which new namespaces are pinned; a kind without a path is not made. */
export interface PinRequest {
  readonly net?: string | undefined;
  readonly ipc?: string | undefined;
  readonly uts?: string | undefined;
  /** Host name of the new UTS namespace; needs `uts`. */
  readonly hostname?: string | undefined;
  /** A new user namespace that owns the others. */
  readonly user?: UserNamespace | undefined;
}

interface Kind {
  readonly name: "net" | "ipc" | "uts";
  readonly flag: number;
  readonly path: string;
}

const bindFlag = 4096;

/**
 * Makes the namespaces and pins each to its file by a bind mount (namespaces(7)), so that they live without a
 * process. The files are created (their folder must exist); a file that is there already must not be pinned.
 * Either all are pinned or none.
 *
 * A pin may be copied into other mount namespaces (mount_namespaces(7)): {@link unpinNamespaces} takes those
 * copies away too.
 */
export async function pinNamespaces(request: PinRequest, scope: Scope): Promise<void> {
  scope.signal.throwIfAborted();
  const kinds = kindsOf(request);
  const { user } = request;
  const paths = [...kinds.map(({ path }) => path), ...(user === undefined ? [] : [user.path])];
  if (paths.length === 0) return;
  const calls = await systemCalls();
  try {
    for (const path of paths) closeSync(openSync(path, "a", 0o444));
    if (user !== undefined) {
      await pinOwnedNamespaces(user, kinds, scope);
      if (request.hostname !== undefined) await setHostname(request.uts ?? "", request.hostname, scope);
    } else if (calls === undefined) await pinByTool(kinds, request.hostname, scope);
    else pinByCall(calls, kinds, request.hostname);
  } catch (error) {
    await unpinNamespaces(paths, uncancelled(scope));
    throw error;
  }
}

/**
 * Unmounts and deletes pin files; a namespace ends once no process is in it either. Done for a file that is not
 * pinned or not there. Deleting the file also detaches the copies of the pin that other mount namespaces hold
 * (a mount point that is unlinked elsewhere is unmounted lazily: Linux 3.18 and later).
 */
export async function unpinNamespaces(paths: readonly string[], scope: Scope): Promise<void> {
  for (const path of paths) {
    await unmount(path, { detach: true }, scope);
    rmSync(path, { force: true });
  }
}

/**
 * What `visit` returns when this thread is in the namespace that is pinned at `path`; undefined: in the daemon's own. `visit`
 * must be synchronous and quick: everything waits for it. Throws SystemCallFailed, and what open(2) says of the path; where
 * system calls can't be made, InternalError.
 */
export async function visitNamespace<T>(
  path: string | undefined,
  kind: "network" | "ipc",
  visit: () => T,
): Promise<T> {
  if (path === undefined) return visit();
  const calls = await systemCalls();
  if (calls === undefined)
    throw new PeapodError("InternalError", "no system calls to visit a namespace with");
  const open: number[] = [];
  try {
    for (const file of [path, `/proc/thread-self/ns/${kind === "network" ? "net" : kind}`])
      open.push(openSync(file, "r"));
    const [there = -1, home = -1] = open;
    calls.setns(there, namespaceFlags[kind]);
    try {
      return visit();
    } finally {
      returnTo(calls, home, namespaceFlags[kind]);
    }
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

/** Runs a tool inside the given pinned namespaces: the words to put in front of its command line. */
export function insideNamespaces(pins: { net?: string; ipc?: string; uts?: string }): readonly string[] {
  return [
    "nsenter",
    ...(pins.net === undefined ? [] : [`--net=${pins.net}`]),
    ...(pins.ipc === undefined ? [] : [`--ipc=${pins.ipc}`]),
    ...(pins.uts === undefined ? [] : [`--uts=${pins.uts}`]),
    "--",
  ];
}

function kindsOf(request: PinRequest): readonly Kind[] {
  const kinds: Kind[] = [];
  if (request.net !== undefined) kinds.push({ name: "net", flag: namespaceFlags.network, path: request.net });
  if (request.ipc !== undefined) kinds.push({ name: "ipc", flag: namespaceFlags.ipc, path: request.ipc });
  if (request.uts !== undefined) kinds.push({ name: "uts", flag: namespaceFlags.uts, path: request.uts });
  return kinds;
}

/** One synchronous stretch: nothing else of the daemon can run while this thread is elsewhere. */
function pinByCall(calls: SystemCalls, kinds: readonly Kind[], hostname: string | undefined): void {
  const home = kinds.map((kind) => openSync(`/proc/thread-self/ns/${kind.name}`, "r"));
  try {
    try {
      if (kinds.some(({ name }) => name === "net")) enterSmallTableNetwork(calls);
      calls.unshare(kinds.reduce((flags, kind) => flags | kind.flag, 0));
      for (const kind of kinds) calls.mount(`/proc/thread-self/ns/${kind.name}`, kind.path, "", bindFlag, "");
      if (hostname !== undefined) calls.sethostname(hostname);
    } finally {
      for (const [index, kind] of kinds.entries()) returnTo(calls, home[index] ?? -1, kind.flag);
    }
  } finally {
    for (const fd of home) closeSync(fd);
  }
}

async function setHostname(uts: string, hostname: string, scope: Scope): Promise<void> {
  const [file = "", ...args] = insideNamespaces({ uts });
  await runCommand(file, [...args, "hostname", "--", hostname], {}, scope);
}

function returnTo(calls: SystemCalls, home: number, flag: number): void {
  try {
    calls.setns(home, flag);
  } catch {
    // Going on in a pod's namespace would put everything that follows into the wrong place.
    process.abort();
  }
}

/** An open network namespace. */
let smallTableNetwork: number | undefined;

/**
 * Goes where a new network namespace gets hash tables of its own with 1024 buckets for its sockets, where the kernel can
 * (ip-sysctl): otherwise pods share the host's, and each look at a pod's sockets walks all of its hundred thousands of buckets.
 * The settings are those of the namespace from which another is made, so they are made in one that is nobody's and
 * goes with the daemon; the host's are left alone.
 */
function enterSmallTableNetwork(calls: SystemCalls): void {
  if (smallTableNetwork !== undefined) {
    calls.setns(smallTableNetwork, namespaceFlags.network);
    return;
  }
  calls.unshare(namespaceFlags.network);
  for (const sysctl of smallTables.sysctls) {
    try {
      writeFileSync(sysctl, smallTables.value, { flag: "r+" });
    } catch {
      // An older kernel, or one whose settings may not be changed.
    }
  }
  smallTableNetwork = openSync("/proc/thread-self/ns/net", "r");
}

/** Pods have the host's TCP table here. */
async function pinByTool(kinds: readonly Kind[], hostname: string | undefined, scope: Scope): Promise<void> {
  const pins = kinds.map((kind) => `--${kind.name}=${kind.path}`);
  const command = hostname === undefined ? ["true"] : ["hostname", "--", hostname];
  await runCommand("unshare", [...pins, ...command], {}, scope);
}
