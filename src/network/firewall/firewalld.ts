import { existsSync, rmSync, writeFileSync } from "node:fs";
import type { Scope } from "../../base/scope.ts";
import { runCommand } from "../../host/command.ts";
import { hasNftTable, listNftRules, type NftChain } from "../../host/nft.ts";

/** The zone whose interfaces may send everything anywhere (firewalld.zones(5)). */
const zone = "trusted";

/**
 * Puts the bridge into firewalld's zone `trusted`, until firewalld ends, where it runs and has the bridge in no zone.
 * `mark` is the file that tells the next daemon that it was done. Idempotent.
 */
export async function openFirewalld(
  bridge: string,
  mark: string,
  chains: readonly NftChain[],
  scope: Scope,
): Promise<void> {
  if (!hasNftTable(chains, "inet", "firewalld")) return;
  // firewall-cmd takes half a second; what it would say is in the table: a rule leads from the link to its zone.
  const rules = await listNftRules("inet", "firewalld", scope);
  if (JSON.stringify(rules).includes(`"${bridge}"`)) return;
  writeFileSync(mark, "");
  await runCommand("firewall-cmd", [`--zone=${zone}`, `--add-interface=${bridge}`], {}, scope);
  scope.log.info({ bridge, zone }, "put the pods' bridge into a zone of firewalld");
}

/** Takes the bridge out of the zone if {@link openFirewalld} has put it there. Idempotent. */
export async function closeFirewalld(
  bridge: string,
  mark: string,
  chains: readonly NftChain[],
  scope: Scope,
): Promise<void> {
  if (!existsSync(mark)) return;
  if (hasNftTable(chains, "inet", "firewalld")) {
    await runCommand("firewall-cmd", [`--zone=${zone}`, `--remove-interface=${bridge}`], {}, scope);
  }
  rmSync(mark, { force: true });
}
