import { setNewest } from "../base/newest.ts";
import type { FileEvent } from "../host/fanotify.ts";
import { type OpenEvents, openEvents } from "../host/open-events.ts";
import { identifyIn, type ProcessName } from "./process-name.ts";
import { accessesOf, type OpenUse, type PodFile } from "./snapshot.ts";
import type { ObservedPod } from "./types.ts";

/** How long a party that only opens a FIFO for an instant is remembered. */
const rememberMilliseconds = 600_000;
const maxProcesses = 1_000;

interface Party extends ProcessName {
  readonly podUID: string;
  readonly container: string;
  readonly hostPID: number;
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
  readonly #uses = new Map<string, OpenUse & { readonly podUID: string }>();

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
  usesOf(podUID: string, fifos: readonly PodFile[]): OpenUse[] {
    const now = this.#now();
    for (const [key, { at }] of this.#uses) if (now - at > rememberMilliseconds) this.#uses.delete(key);
    const identities = new Set(fifos.map(({ identity }) => identity));
    return [...this.#uses.values()].filter((use) => use.podUID === podUID && identities.has(use.identity));
  }

  #onEvent(event: FileEvent): void {
    const identity = this.#identities.get(event.handle);
    if (identity === undefined) return;
    // At once, since a short-lived process is about to be gone.
    const party = (event.opened ? this.#identify(event.pid) : undefined) ?? this.#parties.get(event.pid);
    // Else its process was gone before it could be asked: the container's mounts tell whose it was (VolumeWatch).
    if (party !== undefined) this.#note(identity, event, party);
  }

  #note(identity: string, event: FileEvent, party: Party): void {
    for (const access of accessesOf(event)) {
      const key = `${identity} ${party.podUID} ${party.container} ${access}`;
      // A process that could be named says more than one that was gone.
      const named = party.process === undefined ? this.#uses.get(key) : undefined;
      this.#uses.set(key, { identity, access, ...(named ?? party), at: this.#now() });
    }
  }

  #identify(hostPID: number): Party | undefined {
    const containers = this.#pods().flatMap(({ uid, containers }) =>
      containers.map(({ name, cgroup }) => ({ podUID: uid, name, cgroup })),
    );
    const found = identifyIn(containers, hostPID);
    if (found === undefined) return undefined;
    const { container, pid, process } = found;
    const party = { podUID: container.podUID, container: container.name, hostPID, pid, process };
    setNewest(this.#parties, hostPID, party, maxProcesses);
    return party;
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
