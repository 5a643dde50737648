import { accessSync, constants } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { type CommandOptions, type CommandResult, runCommand } from "../host/command.ts";
import type { Layout } from "../host/layout.ts";
import { sealProgram } from "../host/sealed-program.ts";

/** The OCI runtime of a node: a program with the command line of runc. */
export interface OCIRuntime {
  readonly name: string;
  readonly version: string;
  /** The installed program. */
  readonly file: string;
  /** What to execute; for crun a sealed copy in memory where that can be made. */
  readonly path: string;
  /** Where it keeps its state. */
  readonly root: string;
  /** Whether it takes a compiled seccomp filter by annotation (crun from 1.8). */
  readonly takesCompiledSeccomp: boolean;
}

/** Where the OCI runtime keeps the state of this node's containers. */
export function runtimeRoot(layout: Layout): string {
  return join(layout.runDir, "runtime");
}

/** Searches PATH, then the folders where distributions put root's programs. */
export function findProgram(name: string): string | undefined {
  if (isAbsolute(name)) return isExecutable(name) ? name : undefined;
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/usr/bin"];
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/**
 * The runtime that `choice` names (a name in PATH or an absolute path); without a choice crun, else runc. Throws
 * ServiceUnavailable when it is not installed or does not run.
 */
export async function findRuntime(
  choice: string | undefined,
  layout: Layout,
  scope: Scope,
): Promise<OCIRuntime> {
  const candidates = choice === undefined ? ["crun", "runc"] : [choice];
  const path = candidates.map(findProgram).find((found) => found !== undefined);
  if (path === undefined) {
    throw new PeapodError(
      "ServiceUnavailable",
      `no OCI runtime: ${candidates.join(" or ")} is not installed`,
    );
  }
  const { stdout } = await runCommand(path, ["--version"], {}, scope);
  const [, name = basename(path), version = ""] = /^(\S+) version (\S+)/.exec(stdout) ?? [];
  const isCrun = name === "crun";
  const sealed = isCrun ? await sealProgram(path) : undefined;
  return {
    name,
    version,
    file: path,
    path: sealed?.path ?? path,
    root: runtimeRoot(layout),
    takesCompiledSeccomp: isCrun && isAtLeast(version, 1, 8),
  };
}

/** Runs one command of the runtime on this node's containers. */
export function callRuntime(
  runtime: OCIRuntime,
  args: readonly string[],
  scope: Scope,
  options: Pick<CommandOptions, "input"> = {},
): Promise<CommandResult> {
  return runCommand(runtime.path, ["--root", runtime.root, ...args], options, scope);
}

/** Where the runtime keeps one container's state; there as long as the runtime knows it. */
export function stateFolder(runtime: OCIRuntime, id: string): string {
  return join(runtime.root, id);
}

/**
 * The FIFO at which a created container waits; crun and runc remove it when the container starts, and tell
 * `created` from `running` by it.
 */
export function startFIFO(runtime: OCIRuntime, id: string): string {
  return join(stateFolder(runtime, id), "exec.fifo");
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [foundMajor = 0, foundMinor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
