import { explain, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { runCommand } from "./command.ts";
import { listMounts } from "./mount-info.ts";
import { parseMountOptions, perMountFlags } from "./mount-options.ts";
import { type SystemCalls, systemCallErrno, systemCalls } from "./system-calls.ts";

export { isFileSystemRoot, isMounted, listMounts, visibleMounts } from "./mount-info.ts";

/** A mount as fstab(5) would write it: `options` are mount(8)'s words. */
export interface MountRequest {
  /** Empty or `bind`/`none` for a bind mount. */
  readonly type: string;
  readonly source: string;
  /** Absolute and existing. */
  readonly target: string;
  readonly options: readonly string[];
}

const bindFlag = 4096;
const remountFlag = 32;
const recursiveFlag = 16384;
const detachFlag = 2;
const noFollowFlag = 8;

/**
 * Mounts a file system, or binds a folder or file when the options say `bind` or `rbind` (then with `ro` and
 * the like too, which mount(2) itself ignores at the first call). Not idempotent: a second call stacks a
 * second mount. Throws SystemCallFailed: `mount TARGET: overlay: EINVAL`.
 */
export async function mount(request: MountRequest, scope: Scope): Promise<void> {
  scope.signal.throwIfAborted();
  const calls = await systemCalls();
  if (calls === undefined) await mountByTool(request, scope);
  else mountByCall(calls, request);
}

/** Makes `source` (a folder or file) appear at `target` too. `options` add to `bind`: `ro`, `nosuid`, `rprivate` … */
export function bindMount(
  source: string,
  target: string,
  options: readonly string[],
  scope: Scope,
): Promise<void> {
  const bind = options.includes("rbind") ? [] : ["bind"];
  return mount({ type: "", source, target, options: [...bind, ...options] }, scope);
}

/** How often a busy mount is tried again before it is detached lazily, and how long the waits are. */
const busyWaits = [5, 20, 50, 100];

/**
 * Unmounts the topmost mount at `target`; done when nothing is mounted there. A mount that stays busy for
 * about 0.2 s, or any with `detach`, is detached lazily: gone for all who look, kept for those who hold it.
 */
export async function unmount(target: string, options: { detach?: boolean }, scope: Scope): Promise<void> {
  const calls = await systemCalls();
  for (const wait of options.detach === true ? [] : busyWaits) {
    if (await unmountOnce(calls, target, false, scope)) return;
    await scope.clock.sleep(wait, scope.signal);
  }
  await unmountOnce(calls, target, true, scope);
}

/** Unmounts the topmost mount at `target` unless somebody holds something of it open: then it stays, and false. */
export async function unmountIdle(target: string, scope: Scope): Promise<boolean> {
  return unmountOnce(await systemCalls(), target, false, scope);
}

/** Unmounts everything that is mounted at `folder` or below it, the deepest and latest first. Idempotent. */
export async function unmountBelow(folder: string, scope: Scope): Promise<void> {
  const targets = listMounts()
    .map((entry) => entry.target)
    .filter((target) => target === folder || target.startsWith(`${folder}/`));
  for (const target of targets.reverse()) await unmount(target, {}, scope);
}

function mountByCall(calls: SystemCalls, { type, source, target, options }: MountRequest): void {
  const { flags, propagation, data } = parseMountOptions(options);
  const isBind = (flags & bindFlag) !== 0;
  const isRemount = (flags & remountFlag) !== 0;
  if (isBind && !isRemount) {
    calls.mount(source, target, "", flags & (bindFlag | recursiveFlag), "");
    const wanted = flags & ~(bindFlag | recursiveFlag);
    if (wanted !== 0) {
      try {
        calls.mount(source, target, "", wanted | inheritedFlags(target) | bindFlag | remountFlag, "");
      } catch (error) {
        calls.umount2(target, detachFlag | noFollowFlag);
        throw error;
      }
    }
  } else {
    calls.mount(source, target, type, flags, data);
  }
  if (propagation !== 0) calls.mount("none", target, "", propagation, "");
}

/** A remount replaces all per-mount flags, so those of the source (a nosuid disk, say) must be said again. */
function inheritedFlags(target: string): number {
  const current = listMounts().findLast((entry) => entry.target === target)?.options ?? [];
  return parseMountOptions(current.filter((option) => perMountFlags.includes(option))).flags;
}

async function mountByTool({ type, source, target, options }: MountRequest, scope: Scope): Promise<void> {
  const typeArguments = type === "" || type === "bind" || type === "none" ? [] : ["-t", type];
  const optionArguments = options.length === 0 ? [] : ["-o", options.join(",")];
  const args = [...typeArguments, ...optionArguments, "--", source, target];
  await tool("mount", args, `mount ${target}: ${type === "" ? source : type}`, scope);
}

/** False when the mount is busy. */
async function unmountOnce(
  calls: SystemCalls | undefined,
  target: string,
  detach: boolean,
  scope: Scope,
): Promise<boolean> {
  if (calls === undefined) {
    if (!listMounts().some((entry) => entry.target === target)) return true;
    const args = [...(detach ? ["--lazy"] : []), "--no-canonicalize", "--", target];
    const { exitCode } = await runCommand("umount", args, { okCodes: [0, 1, 16, 32] }, scope);
    return exitCode === 0 || !listMounts().some((entry) => entry.target === target);
  }
  try {
    calls.umount2(target, noFollowFlag | (detach ? detachFlag : 0));
    return true;
  } catch (error) {
    const errno = systemCallErrno(error);
    // EINVAL: exists, but nothing is mounted there (umount(2)).
    if (errno === "EINVAL" || errno === "ENOENT" || errno === "ENOTDIR") return true;
    if (errno === "EBUSY" && !detach) return false;
    throw error;
  }
}

async function tool(file: string, args: readonly string[], what: string, scope: Scope): Promise<void> {
  try {
    await runCommand(file, args, {}, scope);
  } catch (error) {
    const { stderr } = ((error as PeapodError).details ?? {}) as { stderr?: string };
    const reason = stderr?.split("\n")[0]?.replace(/^mount: (?:\S+: )?/, "") || explain(error);
    throw new PeapodError("SystemCallFailed", `${what}: ${reason}`, { cause: error });
  }
}
