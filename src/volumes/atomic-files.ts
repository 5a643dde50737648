import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { PeapodError } from "../base/errors.ts";
import { isGone } from "../host/files.ts";
import type { VolumeFile } from "./types.ts";

const dataLink = "..data";
const newDataLink = "..data_tmp";
const maximumNameBytes = 255;
const maximumPathBytes = 4096;

type Files = ReadonlyMap<string, VolumeFile>;

/**
 * Makes `folder` show exactly `files`, all of them changing at one instant: they lie in a hidden folder of the time
 * of writing, `..data` is a symbolic link to it, and what a reader sees at the top are links through `..data`, so
 * that renaming a new `..data` over the old one swaps everything. This is the layout that programs which watch their
 * configuration know from Kubernetes. Files that are there already, byte by byte, are left alone.
 * `finish` is called with the hidden folder before anybody can see it. Synchronous, so that no other write of the
 * daemon comes between. Throws FailedMount for a path that is not below the volume.
 */
export function writeAtomically(
  folder: string,
  files: Files,
  now: number,
  finish: (hiddenFolder: string) => void,
): void {
  const wanted = new Map([...files].map(([path, file]) => [checkedPath(path), file]));
  const before = currentFolder(folder);
  if (before !== undefined && isSame(join(folder, before), wanted)) return;

  const hidden = mkdtempSync(join(folder, timestamp(now)));
  chmodSync(hidden, 0o755);
  for (const [path, file] of wanted) writeOne(hidden, path, file);
  finish(hidden);
  rmSync(join(folder, newDataLink), { force: true });
  symlinkSync(basename(hidden), join(folder, newDataLink));
  renameSync(join(folder, newDataLink), join(folder, dataLink));

  const visible = new Set([...wanted.keys()].map((path) => path.split("/")[0] ?? ""));
  for (const name of visible) linkOnce(join(folder, name), `${dataLink}/${name}`);
  for (const name of readdirSync(folder)) {
    const isOld = name.startsWith("..") ? name !== dataLink && name !== basename(hidden) : !visible.has(name);
    if (isOld) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function currentFolder(folder: string): string | undefined {
  try {
    return readlinkSync(join(folder, dataLink));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isSame(folder: string, wanted: Files): boolean {
  try {
    const present = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
    if (present.length !== wanted.size) return false;
    return present.every((path) => {
      const file = wanted.get(path);
      return file !== undefined && Buffer.compare(readFileSync(join(folder, path)), file.data) === 0;
    });
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function writeOne(hidden: string, path: string, { data, mode, owner }: VolumeFile): void {
  const target = join(hidden, path);
  for (const parent of parentsOf(path)) {
    mkdirSync(join(hidden, parent), { recursive: true });
    chmodSync(join(hidden, parent), 0o755);
  }
  writeFileSync(target, data, { mode: 0o600 });
  if (owner !== undefined) chownSync(target, owner, -1);
  // After the owner: chown(2) takes set-ID bits away. And whatever the umask is.
  chmodSync(target, mode);
}

/** `a/b/c` → `a`, `a/b`. */
function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === "." ? [] : [...parentsOf(parent), parent];
}

function linkOnce(path: string, target: string): void {
  const present = lstatSync(path, { throwIfNoEntry: false });
  if (present === undefined) symlinkSync(target, path);
}

function checkedPath(path: string): string {
  const steps = path.split("/");
  const problem =
    path === ""
      ? "must not be empty"
      : path.startsWith("/")
        ? "must be relative"
        : steps.includes("..")
          ? "must not contain '..'"
          : path.startsWith("..")
            ? "must not start with '..'"
            : Buffer.byteLength(path) > maximumPathBytes ||
                steps.some((step) => Buffer.byteLength(step) > maximumNameBytes)
              ? "is too long"
              : undefined;
  if (problem !== undefined)
    throw new PeapodError("FailedMount", `invalid path ${JSON.stringify(path)}: ${problem}`);
  return normalize(path).replace(/\/$/, "");
}

/** `..2026_11_22_23_00_00.`, to which a random ending is added. */
function timestamp(now: number): string {
  return `..${new Date(now).toISOString().slice(0, 19).replace(/[-T:]/g, "_")}.`;
}
