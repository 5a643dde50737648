import { join } from "node:path";
import { explain } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { listNftChains, type NftChain } from "../../host/nft.ts";
import type { FirewallObstacle, HostSide } from "../types.ts";
import { closeFirewalld, openFirewalld } from "./firewalld.ts";
import { closeIptables, openIptables } from "./iptables.ts";
import { findObstacles } from "./obstacles.ts";

/**
 * The firewalls that a machine has beside the node's own table: iptables (Docker, ufw) and firewalld are opened for the
 * pods' bridge, what can't be opened is told. A firewall that can't be dealt with is logged and keeps no node from
 * starting.
 */
export class HostFirewalls {
  readonly #instance: string;
  readonly #mark: string;
  #obstacles: readonly FirewallObstacle[] = [];
  #told = "";

  constructor(instance: string, folder: string) {
    this.#instance = instance;
    this.#mark = join(folder, "firewalld");
  }

  /** See {@link HostFirewalls}; to be called again now and then, since firewalls forget when they are restarted. */
  async open(hostSide: HostSide, chains: readonly NftChain[], scope: Scope): Promise<void> {
    const rules = { bridge: hostSide.link, instance: this.#instance };
    await logFailure("iptables", openIptables(rules, chains, scope), scope);
    await logFailure("firewalld", openFirewalld(hostSide.link, this.#mark, chains, scope), scope);
    await logFailure("nftables", this.#look(hostSide, chains, scope), scope);
  }

  /** What stood in the way at the last {@link open}. */
  obstacles(): readonly FirewallObstacle[] {
    return this.#obstacles;
  }

  /** Takes back what was opened, also by an earlier daemon. Idempotent. */
  async close(bridge: string, scope: Scope): Promise<void> {
    const chains = await listNftChains(scope);
    await logFailure("iptables", closeIptables(this.#instance, chains, scope), scope);
    await logFailure("firewalld", closeFirewalld(bridge, this.#mark, chains, scope), scope);
    this.#obstacles = [];
  }

  async #look(hostSide: HostSide, chains: readonly NftChain[], scope: Scope): Promise<void> {
    const isOwn = (table: string) => table === this.#instance || table === `${this.#instance}-services`;
    this.#obstacles = await findObstacles(hostSide, chains, isOwn, scope);
    const told = JSON.stringify(this.#obstacles);
    if (told === this.#told) return;
    this.#told = told;
    for (const { chain, reason, drops, remedy } of this.#obstacles) {
      scope.log.warn({ chain, reason, drops, remedy }, "another firewall drops what pods send");
    }
  }
}

async function logFailure(firewall: string, work: Promise<void>, scope: Scope): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!scope.signal.aborted) {
      scope.log.warn({ firewall, error: explain(error) }, "firewall not opened for pods");
    }
  }
}
