import { type MountOpens, type OpenEvent, type OpenEvents, openEvents } from "../host/open-events.ts";
import { readCgroups, readProcessIdentity } from "../host/proc.ts";
import type { Access, FifoUse, PodFile } from "./snapshot.ts";
import type { ObservedPod } from "./types.ts";

/** How long a party that only opens a FIFO for an instant is remembered. */
const rememberMilliseconds = 600_000;
const maxProcesses = 1_000;
/** A process that was gone before it was identified: how long, and how often at most, to look at mounts instead. */
const mountWatchMilliseconds = 6_000;
const mountWatchPauseMilliseconds = 60_000;
const drainMilliseconds = 250;

interface Party {
  readonly podUID: string;
  readonly container: string;
  readonly hostPID: number;
  readonly pid: number | undefined;
  readonly process: string | undefined;
}

/** A container's own mounts of the volume of a FIFO, watched for a moment. */
interface MountWatch {
  readonly mounts: readonly {
    readonly podUID: string;
    readonly container: string;
    readonly opens: MountOpens;
  }[];
  readonly timer: NodeJS.Timeout;
  readonly until: number;
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
  /** By pod and volume. */
  readonly #mountWatches = new Map<string, MountWatch>();
  readonly #mountWatchedAt = new Map<string, number>();
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
    if (party !== undefined) this.#note(identity, event, party);
    else if (event.closedReader || event.closedWriter) this.#watchMounts(identity);
  }

  #note(identity: string, event: OpenEvent, party: Party): void {
    const accesses: Access[] = [
      ...(event.closedWriter ? ["write" as const] : []),
      ...(event.closedReader ? ["read" as const] : []),
    ];
    for (const access of accesses) {
      const key = `${identity} ${party.podUID} ${party.container} ${access}`;
      // A process that could be named says more than one that was gone.
      const named = party.process === undefined ? this.#uses.get(key) : undefined;
      this.#uses.set(key, { identity, access, ...(named ?? party), at: this.#now() });
    }
  }

  /**
   * The process that closed the FIFO was gone before it could be asked for its container. Each container has the
   * volume by a mount of its own, so for a while those are watched: the next open tells by its mount.
   */
  #watchMounts(identity: string): void {
    const now = this.#now();
    const path = [...this.#watched].find(([, watched]) => watched.identity === identity)?.[0];
    for (const pod of path === undefined ? [] : this.#pods()) {
      for (const volume of pod.volumes) {
        const key = `${pod.uid} ${volume.name}`;
        const last = this.#mountWatchedAt.get(key) ?? Number.NEGATIVE_INFINITY;
        const isIn = path?.startsWith(`${volume.hostPath}/`) === true;
        if (!isIn || now - last < mountWatchPauseMilliseconds) continue;
        this.#mountWatchedAt.set(key, now);
        const mounts = volume.mounts.flatMap(({ container, mountPath }) => {
          const pid = pod.containers.find(({ name }) => name === container)?.pid;
          const opens =
            pid === undefined ? undefined : this.#events?.throughMount(`/proc/${pid}/root${mountPath}`);
          return opens === undefined ? [] : [{ podUID: pod.uid, container, opens }];
        });
        const timer = setInterval(() => this.#drain(key), drainMilliseconds);
        this.#mountWatches.set(key, { mounts, timer, until: now + mountWatchMilliseconds });
      }
    }
  }

  #drain(key: string): void {
    const watch = this.#mountWatches.get(key);
    if (watch === undefined) return;
    for (const { podUID, container, opens } of watch.mounts) {
      for (const event of opens.drain()) {
        const identity = this.#identities.get(event.handle);
        const party = { podUID, container, hostPID: event.pid, pid: undefined, process: undefined };
        if (identity !== undefined) this.#note(identity, event, party);
      }
    }
    if (this.#now() > watch.until) this.#endMountWatch(key, watch);
  }

  #endMountWatch(key: string, { mounts, timer }: MountWatch): void {
    clearInterval(timer);
    for (const { opens } of mounts) opens.close();
    this.#mountWatches.delete(key);
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
        process: process?.name,
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
    for (const [key, watch] of this.#mountWatches) this.#endMountWatch(key, watch);
    this.#mountWatchedAt.clear();
    this.#watched.clear();
    this.#identities.clear();
    this.#state = "new";
    const events = this.#events;
    this.#events = undefined;
    await events?.close();
  }
}
