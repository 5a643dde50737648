import { readFileSync } from "node:fs";
import { availableParallelism, hostname, machine, networkInterfaces, release, totalmem } from "node:os";
import { readFileIfExists } from "./files.ts";
import { type HugePages, readHugePages } from "./huge-pages.ts";

/** What this machine is, in the words of v1.NodeSystemInfo. */
export interface NodeFacts {
  /** Lower case, as node names are. */
  readonly hostname: string;
  readonly machineID: string;
  readonly bootID: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  /** Go's name of the architecture: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly hugePages: readonly HugePages[];
  /** Addresses by which other machines reach this one, IPv4 first; 127.0.0.1 when there are none. */
  readonly addresses: readonly string[];
}

const goArchitectures: Record<string, string> = { x86_64: "amd64", aarch64: "arm64" };

/** Reads the facts as of now. `ownInterfaces` are left out of the addresses: bridges made for pods. */
export function readNodeFacts(isOwnInterface: (name: string) => boolean): NodeFacts {
  const osRelease = readFileIfExists("/etc/os-release") ?? "";
  return {
    hostname: hostname().toLowerCase(),
    machineID: readFileIfExists("/etc/machine-id")?.trim() ?? "",
    bootID: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? "Linux",
    architecture: goArchitectures[machine()] ?? machine(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    hugePages: readHugePages(),
    addresses: hostAddresses(isOwnInterface),
  };
}

function hostAddresses(isOwnInterface: (name: string) => boolean): string[] {
  const addresses = Object.entries(networkInterfaces())
    .filter(([name]) => !isOwnInterface(name))
    .flatMap(([, entries]) => entries ?? [])
    .filter((entry) => !entry.internal && !entry.address.startsWith("fe80:"))
    .sort((a, b) => a.family.localeCompare(b.family))
    .map((entry) => entry.address);
  return addresses.length === 0 ? ["127.0.0.1"] : addresses;
}
