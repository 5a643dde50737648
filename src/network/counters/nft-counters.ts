import { mkdirSync } from "node:fs";
import { relative } from "node:path";
import { explain } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { cgroupRoot, cgroupV2Path } from "../../host/cgroups.ts";
import { runCommand } from "../../host/command.ts";
import { trafficTable } from "../../host/traffic-table.ts";
import type { CountedContainer, TrafficCounters } from "../types.ts";
import { counterRules } from "./counter-rules.ts";

/**
 * Counters by nft(8). Finds out once whether this machine can: nft is there, cgroup version 2 is mounted and the
 * kernel matches `socket cgroupv2` (nft_socket, Linux 5.13), tried in a network namespace of its own.
 */
export async function createNftCounters(scope: Scope): Promise<TrafficCounters> {
  const reason = await whyNot(scope);
  return new NftCounters(reason);
}

async function whyNot(scope: Scope): Promise<string | undefined> {
  if (cgroupV2Path("") === undefined) return "no cgroup version 2 tree is mounted";
  const probe = `table inet ${trafficTable} {
    map senders { type cgroupsv2 : verdict; }
    chain output {
      type filter hook output priority 0
      socket cgroupv2 level 1 vmap @senders
    }
  }
  `;
  try {
    await runCommand("unshare", ["--net", "nft", "-f", "-"], { input: probe }, scope);
    return undefined;
  } catch (error) {
    return `nft can't match sockets by cgroup: ${explain(error)}`;
  }
}

class NftCounters implements TrafficCounters {
  readonly #reason: string | undefined;

  constructor(reason: string | undefined) {
    this.#reason = reason;
  }

  available(): { ok: true } | { ok: false; reason: string } {
    return this.#reason === undefined ? { ok: true } : { ok: false, reason: this.#reason };
  }

  async install(netns: string, containers: readonly CountedContainer[], scope: Scope): Promise<void> {
    if (this.#reason !== undefined || containers.length === 0) return;
    const counted = containers.map(({ name, cgroup }) => {
      const folder = cgroupV2Path(cgroup) ?? cgroup;
      // A rule holds the cgroup's id, which must exist when the rule is loaded.
      mkdirSync(folder, { recursive: true });
      return { name, path: relative(cgroupRoot, folder), level: cgroup.split("/").filter(Boolean).length };
    });
    await runCommand(
      "nsenter",
      [`--net=${netns}`, "nft", "-f", "-"],
      { input: counterRules(counted) },
      scope,
    );
  }
}
