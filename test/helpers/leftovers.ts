import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { childCgroups } from "../../src/host/cgroups.ts";
import { runCommand } from "./peapod.ts";

/**
 * Everything on this machine that carries a node's marks: its folders in mounts, its instance name elsewhere. `through`
 * as for `testNode`.
 */
export async function leftovers(
  node: { stateDir: string; runDir: string },
  instance: string,
  through: readonly string[] = [],
): Promise<string[]> {
  const lines = async (...command: string[]) => {
    const [file = "", ...args] = [...through, ...command];
    return (await runCommand(file, args)).stdout.split("\n");
  };
  const hasLegacyRules = (await lines("cat", "/proc/net/ip_tables_names")).includes("filter");
  const mine = (line: string) =>
    line.includes(node.stateDir) || line.includes(node.runDir) || line.includes(instance);
  const label = (kind: string, found: string[]) => found.map((line) => `${kind}: ${line.trim()}`);
  return [
    ...label("mount", (await lines("cat", "/proc/self/mountinfo")).filter(mine)),
    ...label("process", processes().filter(mine)),
    ...label("link", (await lines("ip", "-o", "link")).filter(mine)),
    ...label("route", (await lines("ip", "route")).filter(mine)),
    // iptables' rules, too, except for those of its legacy tables; asking for these would make them.
    ...label("nft", (await lines("nft", "list", "ruleset")).filter(mine)),
    ...label("iptables", hasLegacyRules ? (await lines("iptables-legacy", "-S")).filter(mine) : []),
    ...label("cgroup", cgroups("/sys/fs/cgroup", 2).filter(mine)),
    ...label("file", filesBelow(node.runDir)),
  ];
}

/** Names of all links as of now; a veth has its other end behind an `@`. */
export async function linkNames(): Promise<string[]> {
  const { stdout } = await runCommand("ip", ["-o", "link"]);
  return stdout.split("\n").map((line) => line.split(":")[1]?.trim() ?? "");
}

function processes(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .map((pid) => {
      try {
        return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`;
      } catch {
        return "";
      }
    });
}

function cgroups(folder: string, depth: number): string[] {
  if (depth < 0) return [];
  const names = childCgroups(folder) ?? [];
  return names.flatMap((name) => [join(folder, name), ...cgroups(join(folder, name), depth - 1)]);
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}
