import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, readlinkSync } from "node:fs";
import { PeapodError, systemErrorCode } from "../base/errors.ts";

/** open(2): a place in the file system only, which may be any kind of file; not among Node's constants. */
const pathOnly = 0o10000000;
/** As many symbolic links as the kernel follows in one path (path_resolution(7)). */
const maximumLinks = 40;

/**
 * Opens what `path` leads to below `root` (O_PATH), following symbolic links only as far as they stay there: every
 * step is opened by itself under the folder that is already open, so that nothing a container changes meanwhile can
 * lead elsewhere. `..` and absolute links that leave `root` fail. With `create`, missing folders are made with the
 * mode of the one above them. The caller closes the descriptor.
 */
export function openBeneath(root: string, path: string, create: boolean): number {
  const open: number[] = [openSync(root, pathOnly | constants.O_DIRECTORY)];
  const pending = stepsOf(path);
  let links = 0;
  try {
    for (let step = pending.shift(); step !== undefined; step = pending.shift()) {
      const current = open.at(-1) as number;
      if (step === "..") {
        if (open.length === 1) throw outside(path);
        closeSync(open.pop() as number);
        continue;
      }
      const fd = openStep(current, step, create);
      if (!fstatSync(fd).isSymbolicLink()) {
        open.push(fd);
        continue;
      }
      closeSync(fd);
      links += 1;
      const target = readlinkSync(`/proc/self/fd/${current}/${step}`);
      if (target.startsWith("/")) throw outside(path);
      if (links > maximumLinks) throw new PeapodError("SystemCallFailed", `${path}: ELOOP`);
      pending.unshift(...stepsOf(target));
    }
    return open.pop() as number;
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

function openStep(folder: number, name: string, create: boolean): number {
  const path = `/proc/self/fd/${folder}/${name}`;
  const flags = pathOnly | constants.O_NOFOLLOW;
  try {
    return openSync(path, flags);
  } catch (error) {
    if (!create || systemErrorCode(error) !== "ENOENT") throw error;
  }
  const { mode } = fstatSync(folder);
  mkdirSync(path);
  // Opened as a folder and without following: if it is not the one just made, this fails.
  const made = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fchmodSync(made, mode & 0o7777);
  } finally {
    closeSync(made);
  }
  return openSync(path, flags);
}

function stepsOf(path: string): string[] {
  return path.split("/").filter((step) => step !== "" && step !== ".");
}

function outside(path: string): PeapodError {
  return new PeapodError("SystemCallFailed", `${path}: leads out of the volume`);
}
