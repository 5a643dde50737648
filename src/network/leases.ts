import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PeapodError, systemErrorCode } from "../base/errors.ts";
import { readFileIfExists } from "../host/files.ts";
import { formatAddress, formatSubnet, parseAddress, type Subnet, sizeOf } from "./ipv4.ts";

/**
 * Which pod holds which address: a file per address, named by it, holding the pod's UID. Made by link(2), so
 * that of two takers one wins and no reader sees half a file. Addresses are handed out in turn and come back late,
 * because peers may remember a gone pod's address for a while.
 */
export class AddressLeases {
  readonly #folder: string;
  readonly #lastFile: string;
  readonly #subnet: Subnet;
  readonly #held = new Map<string, number>();

  constructor(folder: string, subnet: Subnet) {
    this.#folder = folder;
    this.#lastFile = `${folder}.last`;
    this.#subnet = subnet;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) {
      const address = parseAddress(name);
      if (address !== undefined) this.#held.set(readFileSync(join(folder, name), "utf8"), address);
    }
  }

  /** Takes the next free address for the pod, or returns the one that it holds. Throws when none is free. */
  acquire(podUID: string): number {
    const held = this.#held.get(podUID);
    if (held !== undefined) return held;
    // Without network, gateway and broadcast address.
    const first = this.#subnet.first + 2;
    const count = sizeOf(this.#subnet) - 3;
    const last = parseAddress(readFileIfExists(this.#lastFile) ?? "") ?? first - 1;
    const draft = join(this.#folder, `.${process.pid}`);
    writeFileSync(draft, podUID, { mode: 0o600 });
    try {
      for (let step = 1; step <= count; step++) {
        const offset = (((last - first + step) % count) + count) % count;
        if (!this.#link(draft, first + offset)) continue;
        writeFileSync(this.#lastFile, formatAddress(first + offset), { mode: 0o600 });
        this.#held.set(podUID, first + offset);
        return first + offset;
      }
    } finally {
      rmSync(draft, { force: true });
    }
    throw new PeapodError(
      "FailedCreatePodSandBox",
      `pod network: all ${count} addresses of ${formatSubnet(this.#subnet)} are in use`,
    );
  }

  /** Gives the pod's address back. Idempotent. */
  release(podUID: string): void {
    const address = this.#held.get(podUID);
    if (address === undefined) return;
    rmSync(join(this.#folder, formatAddress(address)), { force: true });
    this.#held.delete(podUID);
  }

  /** UIDs of the pods that hold an address. */
  holders(): readonly string[] {
    return [...this.#held.keys()];
  }

  #link(draft: string, address: number): boolean {
    try {
      linkSync(draft, join(this.#folder, formatAddress(address)));
      return true;
    } catch (error) {
      if (systemErrorCode(error) === "EEXIST") return false;
      throw error;
    }
  }
}
