import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDiskFull, isGone, readFileIfExists, writeFileAtomically } from "../host/files.ts";
import { containerStateDir, type Layout } from "../host/layout.ts";
import type { ProcessIdentity } from "../host/processes.ts";
import { initAndAppContainers } from "../kube/pod-containers.ts";
import type { StoredPod } from "../kube/types.ts";
import type { ContainerRecord } from "./types.ts";

/** What is kept of a container on disk: the record that others see and what a later daemon needs to go on. */
export interface StoredContainer {
  readonly record: ContainerRecord;
  /**
   * True from before the first thing is made until the container exists, and once more when a killed daemon made it and never
   * started it; such a one is not listed, and the next daemon removes it.
   */
  readonly creating: boolean;
  /** The boot in which it was made: in another one nothing of it is left in the kernel. */
  readonly bootID: string;
  /** Its init process, from creation on. */
  readonly process: ProcessIdentity | undefined;
  readonly monitor: ProcessIdentity | undefined;
  /** When a start was asked for; kept before the start itself, so that a daemon killed meanwhile is not lost. */
  readonly startRequestedAt: number | undefined;
  readonly stopSignal: number;
  /** Name of the OCI runtime that makes it; absent in records of versions that knew only one. */
  readonly runtime?: string;
  /** Its PID namespace outlives its init process, so the kernel does not kill the rest. */
  readonly sharesProcesses: boolean;
  readonly terminationMessagePolicy: "File" | "FallbackToLogsOnError";
}

/**
 * All containers of the node, in memory and on disk (`record.json` in each container's state folder), kept in
 * step: what is saved is on disk before anyone can see it.
 */
export class ContainerTable {
  readonly #layout: Layout;
  readonly #containers = new Map<string, StoredContainer>();
  readonly #listeners = new Set<(id: string) => void>();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Reads what earlier daemons left; returns the ids of folders without a readable record. */
  load(): readonly string[] {
    const unreadable: string[] = [];
    for (const id of this.#folders()) {
      const stored = parse(readFileIfExists(this.#path(id)));
      if (stored === undefined) unreadable.push(id);
      else this.#containers.set(id, stored);
    }
    return unreadable;
  }

  get(id: string): StoredContainer | undefined {
    return this.#containers.get(id);
  }

  /** Every container, half-made ones too, oldest first. */
  all(): readonly StoredContainer[] {
    return [...this.#containers.values()].sort((a, b) => a.record.createdAt - b.record.createdAt);
  }

  /**
   * Keeps the container's new state and tells listeners when its phase changed. Makes its folder at need. An end that
   * a full disk has no room for is kept in memory alone: the monitor's exit file tells it to the next daemon.
   */
  save(stored: StoredContainer): void {
    const { id } = stored.record;
    const path = this.#path(id);
    const before = this.#containers.get(id);
    if (before === undefined) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      writeFileAtomically(path, JSON.stringify(stored));
    } catch (error) {
      if (stored.record.phase !== "Exited" || !isDiskFull(error)) throw error;
    }
    this.#containers.set(id, stored);
    if (before?.record.phase !== stored.record.phase || before.creating !== stored.creating) this.#tell(id);
  }

  /** As `RuntimeService.adopt`: records of versions that knew no resizing do not say what a container has. */
  adopt({ metadata, spec }: StoredPod): void {
    const resources = new Map(initAndAppContainers(spec).map((each) => [each.name, each.resources]));
    for (const stored of this.all()) {
      const { record } = stored;
      if (record.podUID !== metadata.uid || record.resources !== undefined) continue;
      this.save({ ...stored, record: { ...record, resources: resources.get(record.name) ?? {} } });
    }
  }

  /** Forgets the container; the caller deletes its folder. */
  forget(id: string): void {
    if (this.#containers.delete(id)) this.#tell(id);
  }

  onChange(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the container is Exited or gone. Rejects with the signal's reason. */
  waitForExit(id: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const isOver = () => (this.get(id)?.record.phase ?? "Exited") === "Exited";
      const finish = (settle: () => void) => {
        stop();
        signal.removeEventListener("abort", onAbort);
        settle();
      };
      const onAbort = () => finish(() => reject(signal.reason));
      const stop = this.onChange((changed) => {
        if (changed === id && isOver()) finish(resolve);
      });
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      else if (isOver()) finish(resolve);
    });
  }

  #tell(id: string): void {
    for (const listener of [...this.#listeners]) listener(id);
  }

  #path(id: string): string {
    return join(containerStateDir(this.#layout, id), "record.json");
  }

  #folders(): readonly string[] {
    try {
      return readdirSync(dirname(containerStateDir(this.#layout, "any")));
    } catch (error) {
      if (isGone(error)) return [];
      throw error;
    }
  }
}

function parse(text: string | undefined): StoredContainer | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as StoredContainer;
  } catch {
    return undefined;
  }
}
