import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Scope } from "../base/scope.ts";
import { runCommand } from "./command.ts";
import { insideNamespaces } from "./namespaces.ts";

/**
 * Runs commands of ip(8) in one process, in order, up to the first that fails. With `netns` (the path of a
 * pinned network namespace) they run in there. Rejects with CommandFailed.
 */
export async function ipBatch(
  commands: readonly string[],
  netns: string | undefined,
  scope: Scope,
): Promise<void> {
  if (commands.length === 0) return;
  const [file = "", ...args] = [
    ...(netns === undefined ? [] : insideNamespaces({ net: netns })),
    "ip",
    "-batch",
    "-",
  ];
  await runCommand(file, args, { input: `${commands.join("\n")}\n` }, scope);
}

/** Whether this network namespace has a link of that name. */
export function linkExists(name: string): boolean {
  return existsSync(`/sys/class/net/${name}`);
}

/** Deletes a link, and with a veth its other end; done when there is none. Takes tens of milliseconds. */
export async function deleteLink(name: string, scope: Scope): Promise<void> {
  if (!linkExists(name)) return;
  try {
    await ipBatch([`link delete dev ${name}`], undefined, scope);
  } catch (error) {
    // Its namespace may have ended in between.
    if (linkExists(name)) throw error;
  }
}

/** An IPv4 route of any table, as `ip -json route` prints it. */
export interface IPRoute {
  /** `default`, an address or `address/prefix`. */
  readonly dst: string;
  readonly dev?: string;
  readonly type?: string;
  readonly table?: string;
  readonly metric?: number;
}

/** Every IPv4 route of this network namespace, its own addresses (table `local`) included. */
export async function listIPv4Routes(scope: Scope): Promise<readonly IPRoute[]> {
  const { stdout } = await runCommand("ip", ["-json", "-4", "route", "show", "table", "all"], {}, scope);
  return stdout.trim() === "" ? [] : (JSON.parse(stdout) as IPRoute[]);
}

/** A kernel setting by its path below /proc/sys, without the newline; undefined where this kernel has none. */
export function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Writes a kernel setting by its path below /proc/sys. Throws Node.js' system error. */
export function writeSysctl(path: string, value: string): void {
  writeFileSync(`/proc/sys/${path}`, value);
}
