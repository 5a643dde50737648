import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cgroupHierarchies } from "../../../src/host/cgroups.ts";
import {
  claimsDir,
  containerRunDir,
  containerStateDir,
  type Layout,
  reachableDir,
  rootfsRunDir,
  rootfsStateDir,
} from "../../../src/host/layout.ts";
import { linkName } from "../../../src/network/bridge-network.ts";
import { runCommand } from "../../helpers/peapod.ts";

interface StoredContainer {
  readonly creating: boolean;
  readonly process?: { readonly pid: number };
  readonly record: {
    readonly id: string;
    readonly podUID: string;
    readonly podName: string;
    readonly name: string;
    readonly phase: string;
  };
}

/** Every container that the node keeps a record of. */
function containersOf(layout: Layout): StoredContainer[] {
  return below(dirname(containerStateDir(layout, "any"))).flatMap((id) => {
    try {
      const text = readFileSync(join(containerStateDir(layout, id), "record.json"), "utf8");
      return [JSON.parse(text) as StoredContainer];
    } catch {
      return [];
    }
  });
}

/** Names of a pod's container that run more than once. */
export function runningTwice(layout: Layout): string[] {
  const seen = new Set<string>();
  return containersOf(layout)
    .filter(({ record, process }) => record.phase === "Running" && existsSync(`/proc/${process?.pid}`))
    .map(({ record }) => `${record.podUID} ${record.podName}/${record.name}`)
    .filter((key) => seen.has(key) || !seen.add(key));
}

/** What is on this machine of the node and belongs to none of the pods (their UIDs) nor claims' volumes (names). */
export async function strays(
  layout: Layout,
  pods: ReadonlySet<string>,
  volumes: ReadonlySet<string>,
): Promise<string[]> {
  const { stateDir, runDir } = layout;
  const containers = containersOf(layout).filter(({ record }) => pods.has(record.podUID));
  const ids = new Set(containers.map(({ record }) => record.id));
  const known = [...pods, ...ids, ...volumes];
  const isKnown = (text: string) => known.some((each) => text.includes(each));
  const label = (kind: string, found: readonly string[]) => found.map((each) => `${kind}: ${each}`);
  const names = (kind: string, folder: string) =>
    label(kind, below(folder)).filter((each) => !isKnown(each) && !/: \.|\.last$/.test(each));

  const cables = new Set([...pods].map((uid) => linkName(uid)));
  const bridged = await runCommand("ip", ["-o", "link", "show", "master", `${layout.instance}0`]);
  const links = bridged.stdout.split("\n").flatMap((line) => line.split(":")[1]?.trim().split("@")[0] ?? []);
  const leases = below(join(runDir, "network", "leases")).filter((name) => !name.startsWith("."));
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const podGroups = (folder: string) => below(folder).filter((name) => name.startsWith("pod"));
  return [
    ...names("container", join(stateDir, "containers")),
    ...names("container's run folder", dirname(containerRunDir(layout, "any"))),
    ...names("OCI runtime's container", join(runDir, "runtime")),
    ...names("exit", join(runDir, "exits")),
    ...names("sandbox", join(runDir, "sandboxes")),
    ...names("pod's folder", join(stateDir, "pods")),
    ...names("log", join(stateDir, "logs")),
    ...names("root file system", rootfsStateDir(layout)),
    ...names("root file system's mount", rootfsRunDir(layout)),
    ...names("ID-mapped mount", join(runDir, "idmapped")),
    ...names("reachable", reachableDir(layout)),
    ...names("claim's volume", claimsDir(layout)),
    ...names("network record", join(runDir, "network", "pods")),
    ...label("half-written", temporaries(stateDir).concat(temporaries(runDir))),
    ...label(
      "lease",
      leases.filter((name) => !pods.has(readFileSync(join(runDir, "network", "leases", name), "utf8"))),
    ),
    ...label(
      "link",
      links.filter((name) => name !== "" && !cables.has(name)),
    ),
    ...label(
      "mount",
      mounts
        .filter((line) => line.includes(runDir) || line.includes(stateDir) || line.includes(layout.instance))
        .filter((line) => !isKnown(line) && !isOfNode(line, layout)),
    ),
    ...label(
      "cgroup",
      cgroupHierarchies().flatMap((root) =>
        podGroups(join(root, layout.instance)).filter((name) => !isKnown(name)),
      ),
    ),
    ...label(
      "monitor",
      processes().filter(
        (line) =>
          line.includes("conmon") && line.includes(runDir) && ![...ids].some((id) => line.includes(id)),
      ),
    ),
  ];
}

/** Numbers of the name servers that run for the node. */
export function nameServers({ runDir }: Layout): string[] {
  return processes().filter((line) => line.includes("dnsmasq") && line.includes(runDir));
}

/** Mounts that the node has for itself, pods or not: the host's image. */
function isOfNode(line: string, { runDir, stateDir }: Layout): boolean {
  const place = line.split(" ")[4] ?? "";
  return place.startsWith(join(stateDir, "images")) || place.startsWith(join(runDir, "images"));
}

function temporaries(folder: string): string[] {
  return below(folder)
    .flatMap((name) => (["containers", "pods"].includes(name) ? [] : deep(join(folder, name), 3)))
    .filter((path) => path.endsWith(".tmp"));
}

function deep(path: string, depth: number): string[] {
  return depth === 0 ? [path] : [path, ...below(path).flatMap((name) => deep(join(path, name), depth - 1))];
}

function below(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function processes(): string[] {
  return below("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`;
      } catch {
        return "";
      }
    });
}
