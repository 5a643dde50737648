import type { Scope } from "../base/scope.ts";
import { runCommand } from "./command.ts";

/** Applies an nft(8) script as one transaction: all of it or nothing. Rejects with CommandFailed. */
export async function nft(script: string, scope: Scope): Promise<void> {
  await runCommand("nft", ["-f", "-"], { input: script }, scope);
}

/** Deletes a table with all that is in it; done when there is none. */
export async function deleteNftTable(
  family: "ip" | "ip6" | "inet",
  name: string,
  scope: Scope,
): Promise<void> {
  // Deleting what is not there is an error, so it is added first: both in one transaction, which nobody sees.
  await nft(`table ${family} ${name}\ndelete table ${family} ${name}\n`, scope);
}
