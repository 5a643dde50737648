import {
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { runCommand } from "../host/command.ts";
import { isGone } from "../host/files.ts";
import {
  emptyFolders,
  isSecretInEtc,
  links,
  outlinedFolders,
  secretNames,
  shownFolders,
} from "./host-image-rules.ts";

/**
 * Builds the host image's layers in `folder`: `base`, the container's `/` with a copy of what everybody may
 * read in /etc, and `masks/NAME` for each shown folder of `/`, which hides by overlayfs whiteouts what in it is
 * secret. Folders in `ownFolders` are hidden too.
 */
export async function buildHostLayers(
  folder: string,
  ownFolders: readonly string[],
  scope: Scope,
): Promise<void> {
  const base = join(folder, "base");
  mkdirSync(base, { mode: 0o755 });
  chmodSync(base, 0o755);
  for (const [path, mode] of Object.entries(emptyFolders)) makeFolder(join(base, path), mode);
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(base, path));
  for (const path of outlinedFolders) outline(`/${path}`, join(base, path));

  mkdirSync(join(folder, "masks"), { mode: 0o700 });
  const whiteout = join(folder, "whiteout");
  await runCommand("mknod", [whiteout, "c", "0", "0"], {}, scope);
  const shown = shownFolders.filter((name) => showAs(name, base) === "folder");
  for (const name of shown) {
    makeLike(`/${name}`, join(base, name));
    makeLike(`/${name}`, join(folder, "masks", name));
  }
  const shownPaths = shown.map((name) => `/${name}`);
  const [secrets] = await Promise.all([findSecrets(shownPaths, scope), copyEtc("", join(base, "etc"))]);
  const own = ownFolders.filter((path) => shown.some((name) => path.startsWith(`/${name}/`)));
  for (const path of new Set([...secrets, ...own])) hide(path, join(folder, "masks"), whiteout);
}

/** A symbolic link (`/bin` on most distributions) is copied; a folder becomes a mount of its own. */
function showAs(name: string, base: string): "folder" | "link" | "nothing" {
  const stats = lstatSync(`/${name}`, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return "folder";
  if (!stats?.isSymbolicLink()) return "nothing";
  symlinkSync(readlinkSync(`/${name}`), join(base, name));
  return "link";
}

/** All below `folders` that not everybody may read, and all that has the name of a secret; nothing below those. */
async function findSecrets(folders: readonly string[], scope: Scope): Promise<readonly string[]> {
  const names = secretNames.flatMap((name) => ["-o", "-name", name]);
  const test = [
    "(",
    "-not",
    "-type",
    "l",
    "-not",
    "-perm",
    "-o=r",
    "-o",
    "-type",
    "d",
    "-not",
    "-perm",
    "-o=x",
    ...names,
    ")",
  ];
  const args = [...folders, "-mindepth", "1", "-xdev", ...test, "-prune", "-print0"];
  // 1: something vanished while find was looking; what it printed holds.
  const { stdout, exitCode, stderr } = await runCommand("find", args, { okCodes: [0, 1] }, scope);
  if (exitCode === 1 && stdout === "" && stderr !== "") {
    throw new PeapodError("CommandFailed", `find: ${stderr.trim().split("\n")[0]}`);
  }
  return stdout.split("\0").filter((path) => path !== "");
}

function hide(path: string, masks: string, whiteout: string): void {
  const parents: string[] = [];
  for (let parent = dirname(path); parent !== "/"; parent = dirname(parent)) parents.unshift(parent);
  try {
    for (const parent of parents) makeLike(parent, join(masks, parent));
    linkSync(whiteout, join(masks, path));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // Gone meanwhile, or already hidden together with a folder above it.
    if (!isGone(error) && code !== "EEXIST") throw error;
  }
}

/** The folders directly below `from`, empty, where everybody may see them. */
function outline(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const stats = lstatSync(join(from, entry.name), { throwIfNoEntry: false });
    if (stats?.isDirectory() && isOpenToAll(stats)) makeLike(join(from, entry.name), join(to, entry.name));
  }
}

/** Synchronous calls, since a thousand small files take ten times as long by promises; gives way at each folder. */
async function copyEtc(path: string, target: string): Promise<void> {
  await new Promise(setImmediate);
  const source = join("/etc", path);
  mkdirSync(target, { mode: 0o700 });
  for (const name of readdirSync(source)) {
    const child = join(path, name);
    if (!isSecretInEtc(child)) await copyEntry(child, join(target, name));
  }
  copyOwnerAndMode(lstatSync(source), target);
}

async function copyEntry(path: string, target: string): Promise<void> {
  const source = join("/etc", path);
  try {
    const stats = lstatSync(source);
    if (stats.isSymbolicLink()) {
      symlinkSync(readlinkSync(source), target);
    } else if (stats.isDirectory()) {
      if (isOpenToAll(stats)) await copyEtc(path, target);
    } else if (stats.isFile() && isOpenToAll(stats)) {
      copyFileSync(source, target);
      copyOwnerAndMode(stats, target);
      utimesSync(target, stats.atime, stats.mtime);
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isOpenToAll(stats: Stats): boolean {
  const needed = stats.isDirectory() ? 0o005 : 0o004;
  return (stats.mode & needed) === needed;
}

function copyOwnerAndMode({ mode, uid, gid }: Stats, path: string): void {
  chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
}

function makeFolder(path: string, mode: number): void {
  mkdirSync(path, { recursive: true });
  // The mode given to mkdir(2) is cut by the umask and knows no sticky bit.
  chmodSync(path, mode);
}

function makeLike(model: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  const stats = lstatSync(model);
  mkdirSync(path);
  copyOwnerAndMode(stats, path);
}
