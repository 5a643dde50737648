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

/** A chain as the kernel has it; the last three are a base chain's. */
export interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly type?: string;
  readonly hook?: string;
  readonly policy?: string;
}

/** Every chain of every table, whoever made it. */
export async function listNftChains(scope: Scope): Promise<readonly NftChain[]> {
  const { stdout } = await runCommand("nft", ["-j", "list", "chains"], {}, scope);
  const { nftables } = JSON.parse(stdout) as { nftables: readonly { chain?: NftChain }[] };
  return nftables.flatMap(({ chain }) => chain ?? []);
}

/** A rule as libnftables-json(5) has it. */
export interface NftRule {
  readonly chain: string;
  readonly expr: readonly Readonly<Record<string, unknown>>[];
}

/** The rules of a table, without the contents of its named sets. Rejects with CommandFailed where there is none. */
export async function listNftRules(family: string, table: string, scope: Scope): Promise<readonly NftRule[]> {
  const { stdout } = await runCommand("nft", ["-j", "-t", "list", "table", family, table], {}, scope);
  const { nftables } = JSON.parse(stdout) as { nftables: readonly { rule?: NftRule }[] };
  return nftables.flatMap(({ rule }) => rule ?? []);
}

/** Whether one of the chains is of this table. A table without chains is as good as none. */
export function hasNftTable(chains: readonly NftChain[], family: string, name: string): boolean {
  return chains.some((chain) => chain.family === family && chain.table === name);
}
