import { closeSync, mkdirSync, openSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PeapodError } from "../base/errors.ts";
import { type Scope, uncancelled } from "../base/scope.ts";
import { isGone, readFolderIfExists, removeIfEmpty } from "./files.ts";
import { listMounts } from "./mount-info.ts";
import { unmount, unmountBelow } from "./mounts.ts";
import { type SystemCalls, systemCallErrno, systemCalls } from "./system-calls.ts";

/**
 * Shows each of `sources` (files or folders) to `use` by a path below `folder` through which their owners are those of
 * the user namespace: what belongs to user 0 on disk belongs to its user 0 (mount_setattr(2), MOUNT_ATTR_IDMAP). What
 * is mounted below a source is mapped too where its file system can be. When `use` has returned the paths are gone;
 * mounts that were made of them meanwhile stay. `folder` is for this alone and goes too. Throws SystemCallFailed, with
 * the file system's name where it is that which cannot be mapped.
 */
export async function withMappedIDs<T>(
  folder: string,
  userNamespace: string,
  sources: readonly string[],
  use: (paths: readonly string[]) => Promise<T>,
  scope: Scope,
): Promise<T> {
  if (sources.length === 0) return use([]);
  const calls = await systemCalls();
  if (calls === undefined) throw new PeapodError("SystemCallFailed", "no system calls to map IDs with");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const namespace = openSync(userNamespace, "r");
  try {
    const targets = sources.map((source, index) => {
      const target = join(folder, String(index));
      if (statSync(source).isDirectory()) mkdirSync(target, { mode: 0o700 });
      else writeFileSync(target, "", { mode: 0o600 });
      mapIDs(calls, source, namespace, target);
      return target;
    });
    return await use(targets);
  } finally {
    closeSync(namespace);
    await removeMappedMounts(folder, uncancelled(scope));
  }
}

/** Takes away what a killed daemon left of {@link withMappedIDs}; done when there is nothing. */
export async function removeMappedMounts(folder: string, scope: Scope): Promise<void> {
  const names = readFolderIfExists(folder);
  for (const name of names) await unmount(join(folder, name), { detach: true }, scope);
  if (names.length > 0) await unmountBelow(folder, scope);
  // One by one and never recursively: if something were still mounted, that would delete what it shows.
  for (const name of names) removeMountPoint(join(folder, name));
  removeIfEmpty(folder);
  removeIfEmpty(dirname(folder));
}

function mapIDs(calls: SystemCalls, source: string, namespace: number, target: string): void {
  const attempt = (recursive: boolean) => {
    const copy = calls.copyMount(source, true);
    try {
      calls.mapMountIDs(copy, namespace, recursive);
      calls.attachMount(copy, target);
    } finally {
      closeSync(copy);
    }
  };
  try {
    attempt(true);
  } catch (error) {
    if (systemCallErrno(error) !== "EINVAL") throw explained(source, error);
    try {
      attempt(false);
    } catch (again) {
      throw explained(source, again);
    }
  }
}

function explained(source: string, error: unknown): unknown {
  const errno = systemCallErrno(error);
  const reason =
    errno === "EINVAL"
      ? `its file system (${fileSystemOf(source)}) cannot map IDs on this kernel`
      : errno === "ENOSYS"
        ? "this kernel cannot map IDs of mounts (Linux 5.12 can)"
        : undefined;
  if (reason === undefined) return error;
  return new PeapodError("SystemCallFailed", `${source}: ${reason}`, { cause: error, details: { errno } });
}

/** The type of the file system that the path lies in, by the mount that is nearest above it. */
function fileSystemOf(path: string): string {
  const above = listMounts().filter(
    ({ target }) => target === "/" || path === target || path.startsWith(`${target}/`),
  );
  return above.sort((a, b) => a.target.length - b.target.length).at(-1)?.type ?? "unknown";
}

function removeMountPoint(path: string): void {
  try {
    if (statSync(path).isDirectory()) rmdirSync(path);
    else rmSync(path);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
