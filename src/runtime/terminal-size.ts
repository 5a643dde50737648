import type { Scope } from "../base/scope.ts";
import { runCommand } from "../host/command.ts";

/**
 * Sets the size of the terminal that is opened by `path`, of which the kernel tells the processes on it. Throws when
 * it is no terminal, or gone.
 */
export async function setTerminalSize(
  path: string,
  columns: number,
  rows: number,
  scope: Scope,
): Promise<void> {
  await runCommand("stty", ["-F", path, "rows", String(rows), "cols", String(columns)], {}, scope);
}
