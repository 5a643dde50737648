import { type OpenEvent, type OpenEvents, openEvents } from "../host/open-events.ts";
import { readCgroups, readProcessIdentity } from "../host/proc.ts";
import type { Access, FifoUse, PodFile } from "./snapshot.ts";
import type { ObservedPod } from "./types.ts";

/** How long a party that only opens a FIFO for an instant is remembered. */
const rememberMilliseconds = 600_000;
const maxProcesses = 1_000;

interface Party {
  readonly podUID: string;
  readonly container: string;
  readonly hostPID: number;
  readonly pid: number | undefined;
  readonly process: string;
}

/**
 * Remembers who opened which FIFO of a pod's volumes, as fanotify tells it at that moment: `echo > fifo` and
 * `cat fifo` have it open for less than any sampling would see. FIFOs are never opened for that.
 */
export class FifoWatch {
  readonly #pods: () => readonly ObservedPod[];
  readonly #now: () => number;
  #events: OpenEvents | undefined;
  #state: "new" | "ready" | "missing" = "new";
  /** By host path. */
  readonly #watched = new Map<string, { readonly handle: string | undefined; readonly identity: string }>();
  readonly #identities = new Map<string, string>();
  /** Who a PID was when it opened something: at its close it may be gone. */
  readonly #parties = new Map<number, Party>();
  readonly #uses = new Map<string, FifoUse & { readonly podUID: string }>();

  constructor(pods: () => readonly ObservedPod[], now: () => number) {
    this.#pods = pods;
    this.#now = now;
  }

  /** Why there are no events; undefined when there are. */
  get missing(): string | undefined {
    return this.#state === "missing"
      ? "who opens a FIFO only for an instant may be missed: the kernel does not grant fanotify(7)"
      : undefined;
  }

  /** Starts to listen; once. */
  async start(): Promise<void> {
    if (this.#state !== "new") return;
    this.#state = "missing";
    this.#events = await openEvents((event) => this.#onEvent(event));
    if (this.#events !== undefined) this.#state = "ready";
  }

  /** Watches these FIFOs, all there are in all pods, and no others. */
  watchOnly(fifos: readonly PodFile[]): void {
    const wanted = new Map(fifos.map((file) => [file.hostPath, file.identity]));
    for (const [path, { identity, handle }] of this.#watched) {
      if (wanted.get(path) === identity) continue;
      this.#events?.unwatch(path);
      this.#watched.delete(path);
      if (handle !== undefined) this.#identities.delete(handle);
    }
    for (const [path, identity] of wanted) {
      if (this.#watched.has(path)) continue;
      const handle = this.#events?.watch(path);
      this.#watched.set(path, { handle, identity });
      if (handle !== undefined) this.#identities.set(handle, identity);
    }
  }

  /** What is remembered of these FIFOs' users in one pod. */
  usesOf(podUID: string, fifos: readonly PodFile[]): FifoUse[] {
    const now = this.#now();
    for (const [key, { at }] of this.#uses) if (now - at > rememberMilliseconds) this.#uses.delete(key);
    const identities = new Set(fifos.map(({ identity }) => identity));
    return [...this.#uses.values()].filter((use) => use.podUID === podUID && identities.has(use.identity));
  }

  #onEvent(event: OpenEvent): void {
    const identity = this.#identities.get(event.handle);
    if (identity === undefined) return;
    // At once, since a short-lived process is about to be gone.
    const party = (event.opened ? this.#identify(event.pid) : undefined) ?? this.#parties.get(event.pid);
    if (party === undefined) return;
    const accesses: Access[] = [
      ...(event.closedWriter ? ["write" as const] : []),
      ...(event.closedReader ? ["read" as const] : []),
    ];
    for (const access of accesses) {
      const key = `${identity} ${party.podUID} ${party.container} ${access}`;
      this.#uses.set(key, { identity, access, at: this.#now(), ...party });
    }
  }

  #identify(hostPID: number): Party | undefined {
    const cgroups = readCgroups(hostPID);
    const process = readProcessIdentity(hostPID);
    for (const pod of this.#pods()) {
      const container = pod.containers.find(({ cgroup }) =>
        cgroups.some((path) => path === cgroup || path.startsWith(`${cgroup}/`)),
      );
      if (container === undefined) continue;
      const party = {
        podUID: pod.uid,
        container: container.name,
        hostPID,
        pid: process?.namespacePID,
        process: process?.name ?? "",
      };
      this.#parties.delete(hostPID);
      this.#parties.set(hostPID, party);
      const [oldest] = this.#parties.keys();
      if (this.#parties.size > maxProcesses && oldest !== undefined) this.#parties.delete(oldest);
      return party;
    }
    return undefined;
  }

  /** Stops listening and ends the helper. Idempotent. */
  async close(): Promise<void> {
    this.#watched.clear();
    this.#identities.clear();
    this.#state = "new";
    const events = this.#events;
    this.#events = undefined;
    await events?.close();
  }
}
