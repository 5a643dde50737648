import { rmSync } from "node:fs";
import { join } from "node:path";
import { PeapodError } from "../base/errors.ts";
import { readFileIfExists, writeFileAtomically } from "../host/files.ts";

/** Flags of `node start` by their names, without the dashes. */
export type NodeFlags = Readonly<Record<string, string | undefined>>;

/** Where a node keeps the flags of its last start, for the starts that say none. */
export function keptFlagsFile(stateDir: string): string {
  return join(stateDir, "node.json");
}

/** The flags kept, which may be none. Throws Usage when the file does not hold flags. */
export function readKeptFlags(stateDir: string): NodeFlags {
  const text = readFileIfExists(keptFlagsFile(stateDir));
  if (text === undefined) return {};
  try {
    const flags: unknown = JSON.parse(text);
    if (isFlags(flags)) return flags;
  } catch {
    // Said below, as for a file that is JSON but no flags.
  }
  throw new PeapodError(
    "Usage",
    `${keptFlagsFile(stateDir)} must be a JSON object of flags and their values`,
  );
}

/** Keeps exactly these flags; none: the file goes. For a node that has come up with them. Idempotent. */
export function keepFlags(stateDir: string, flags: NodeFlags): void {
  if (Object.keys(flags).length === 0) rmSync(keptFlagsFile(stateDir), { force: true });
  else writeFileAtomically(keptFlagsFile(stateDir), `${JSON.stringify(flags, undefined, 2)}\n`);
}

function isFlags(value: unknown): value is NodeFlags {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((each) => typeof each === "string")
  );
}
