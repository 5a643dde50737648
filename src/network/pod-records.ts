import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readFileIfExists, writeFileAtomically } from "../host/files.ts";
import type { HostPort } from "./types.ts";

/** What the network has made, or is about to make or to remove, for one pod. */
export interface PodRecord {
  readonly podUID: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: "attaching" | "attached" | "detaching";
  /** The host's end of the pod's cable. */
  readonly link: string;
  readonly ips: readonly string[];
  readonly hostPorts: readonly HostPort[];
}

/** The records of all pods: a file per pod for the next daemon, a copy in memory for this one. */
export class PodRecords {
  readonly #folder: string;
  readonly #records = new Map<string, PodRecord>();

  constructor(folder: string) {
    this.#folder = folder;
    for (const record of readRecords(folder)) this.#records.set(record.podUID, record);
  }

  get(podUID: string): PodRecord | undefined {
    return this.#records.get(podUID);
  }

  all(): readonly PodRecord[] {
    return [...this.#records.values()];
  }

  put(record: PodRecord): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileAtomically(this.#file(record.podUID), JSON.stringify(record));
    this.#records.set(record.podUID, record);
  }

  /** Idempotent. */
  remove(podUID: string): void {
    rmSync(this.#file(podUID), { force: true });
    this.#records.delete(podUID);
  }

  #file(podUID: string): string {
    return join(this.#folder, `${encodeURIComponent(podUID)}.json`);
  }
}

function readRecords(folder: string): readonly PodRecord[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith(".json"))
    .map((name) => readRecord(join(folder, name)))
    .filter((record) => record !== undefined);
}

/** A file that a crash of the machine has torn is as good as none: the pod's lease still names the pod. */
function readRecord(path: string): PodRecord | undefined {
  try {
    return JSON.parse(readFileIfExists(path) ?? "") as PodRecord;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
