import { realpathSync } from "node:fs";
import { join } from "node:path";
import { type Fanotify, type FileEvent, fanotify } from "../host/fanotify.ts";
import { MountEvents, maxGroups, withNamedFile } from "../host/mount-events.ts";
import { type FileFacts, readFileFacts, resolveInRoot } from "../host/proc.ts";
import { FileUses } from "./file-uses.ts";
import { identifyIn } from "./process-name.ts";
import { accessesOf, type FileUse } from "./snapshot.ts";
import type { CreatedContainer, ObservedPod, ObservedVolume } from "./types.ts";

/** What is known of a file is told anew after that long, so that the map knows when it was last used. */
const tellAgainMilliseconds = 5_000;
/** A container whose process was not seen to run after that long has ended, or never will. */
const beginMilliseconds = 30_000;
/** More events than that at one look: the container is too busy to be watched all the time. */
const busyEvents = 1_000;
/** For one part of the time that a busy container is watched, it is left alone for so many. */
const restShare = 8;
const maxHandles = 1_000;
const notGranted = "the kernel does not grant fanotify(7)";

interface WatchedContainer {
  readonly podUID: string;
  readonly container: CreatedContainer;
  readonly places: readonly Place[];
  readonly group: Group;
  /** Paths of the mounts that are watched. */
  readonly mounts: Set<string>;
  readonly knownSince: number;
  hasRun: boolean;
  watchedSince: number;
  restsUntil: number;
}

/** A volume that the container shares. */
interface Place {
  readonly volume: string;
  readonly hostPath: string;
}

/**
 * Containers whose events come together: an event tells the file, and no two of them share a volume, so that the file tells
 * whose it was. The kernel gives few groups, a node has many containers.
 */
interface Group {
  readonly events: MountEvents;
  readonly members: Set<WatchedContainer>;
  /** By a folder's handle, where it was found last. */
  readonly places: Map<string, { readonly member: WatchedContainer; readonly place: Place }>;
}

/** What a handle led to; it is kept for events of files that are gone by the time of the look. */
type KnownFile = Pick<FileFacts, "identity" | "kind">;

interface WatchedPod {
  readonly uses: FileUses;
  /** By handle. */
  readonly files: Map<string, KnownFile>;
}

/**
 * Remembers which containers opened which files of the volumes that they share, as fanotify(7) tells it of each
 * container's own mounts: `cat config` has a file open for less than any sampling would see, and its process is gone
 * by the time that anybody could ask whose it was. Volumes that no second container mounts, or that nobody may write to,
 * are not watched.
 */
export class VolumeWatch {
  readonly #pods: () => readonly ObservedPod[];
  #calls: Fanotify | undefined;
  #isMissing = false;
  /** By container id. */
  readonly #containers = new Map<string, WatchedContainer>();
  readonly #groups = new Set<Group>();
  /** Why containers have a mount that is not watched, by their ids. */
  readonly #refused = new Map<string, string>();
  readonly #maxGroups: number;
  readonly #watchedPods = new Map<string, WatchedPod>();
  #toldAgainAt = 0;
  /** Files are told again, and what goes on all the time is not ignored yet. */
  #isSettled = true;

  /** `limit`: how many groups of events there are at most. The kernel's own limit is for all of root's programs. */
  constructor(pods: () => readonly ObservedPod[], limit = Math.floor(maxGroups() / 2)) {
    this.#pods = pods;
    this.#maxGroups = limit;
  }

  /** Why some are not watched; undefined when all are. */
  get missing(): string | undefined {
    const unknown = "who opens a file of a shared volume only for an instant is unknown";
    if (this.#isMissing) return `${unknown}: ${notGranted}`;
    const [reason] = this.#refused.values();
    return reason === undefined
      ? undefined
      : `${unknown} for ${this.#refused.size} of the containers: ${reason}`;
  }

  /** Idempotent; nothing is watched before. */
  async start(): Promise<void> {
    if (this.#calls !== undefined || this.#isMissing) return;
    const calls = await fanotify();
    const probe = calls === undefined ? undefined : MountEvents.make(calls);
    probe?.close();
    this.#isMissing = probe === undefined;
    this.#calls = probe === undefined ? undefined : calls;
  }

  /** A container whose process has not begun yet: from now on nothing that it opens is missed. */
  created(podUID: string, container: CreatedContainer, now: number): void {
    const pod = this.#pods().find(({ uid }) => uid === podUID);
    if (pod !== undefined && this.#calls !== undefined) this.#watch(this.#calls, pod, container, now);
  }

  /** Takes in what happened since the last time, and follows the pods: containers come and go. */
  look(now: number): void {
    const calls = this.#calls;
    if (calls === undefined) return;
    const pods = new Map(this.#pods().map((pod) => [pod.uid, pod]));
    for (const pod of pods.values()) {
      for (const container of pod.containers) this.#watch(calls, pod, container, now);
    }
    const isTime = now - this.#toldAgainAt >= tellAgainMilliseconds;
    for (const group of this.#groups) {
      this.#take(calls, group, now);
      if (isTime) group.events.tellAgain();
    }
    for (const [id, watched] of this.#containers) {
      const pod = pods.get(watched.podUID);
      const runs = pod?.containers.some((container) => container.id === id) === true;
      watched.hasRun ||= runs;
      const mayBegin = pod !== undefined && !watched.hasRun && now - watched.knownSince < beginMilliseconds;
      if (!runs && !mayBegin) this.#forget(id, watched);
    }
    for (const [uid, { uses }] of this.#watchedPods) {
      if (pods.has(uid)) uses.expire(now);
      else this.#watchedPods.delete(uid);
    }
    if (!isTime) return;
    this.#toldAgainAt = now;
    this.#isSettled = false;
  }

  /**
   * To be called a moment after each look: what is told again and goes on all the time is ignored again, so that those
   * who open files without pause don't pay until the next look. Does nothing when there is nothing to do.
   */
  settle(now: number): void {
    const calls = this.#calls;
    if (this.#isSettled || calls === undefined) return;
    this.#isSettled = true;
    for (const group of this.#groups) this.#take(calls, group, now);
  }

  /** What is remembered of a pod's files, the oldest first. */
  usesOf(podUID: string): FileUse[] {
    return this.#watchedPods.get(podUID)?.uses.all() ?? [];
  }

  /** Idempotent. */
  close(): void {
    for (const [id, watched] of this.#containers) this.#forget(id, watched);
    this.#watchedPods.clear();
    this.#calls = undefined;
    this.#isMissing = false;
  }

  /** Watches those of a container's mounts that are not watched yet. */
  #watch(calls: Fanotify, pod: ObservedPod, container: CreatedContainer, now: number): void {
    const mounts = sharedMounts(pod, container.name);
    const known = this.#containers.get(container.id);
    if (mounts.length <= (known?.mounts.size ?? 0) || now < (known?.restsUntil ?? 0)) return;
    this.#refused.delete(container.id);
    const watched = known ?? this.#newMember(calls, pod, container, now);
    if (watched === undefined) {
      const reason = `at most ${this.#maxGroups} groups are taken, which is half of fs.fanotify.max_user_groups`;
      this.#refused.set(container.id, reason);
      return;
    }
    if (watched.mounts.size === 0) watched.watchedSince = now;
    for (const { mountPath, source } of mounts) {
      const path = resolveInRoot(container.pid, mountPath);
      // Before the mount is there, the path leads to something else.
      const isThere = path !== undefined && readFileFacts(path)?.identity === readFileFacts(source)?.identity;
      if (!isThere || watched.mounts.has(mountPath)) continue;
      if (watched.group.events.watch(path)) watched.mounts.add(mountPath);
      else this.#refused.set(container.id, notGranted);
    }
  }

  #newMember(
    calls: Fanotify,
    pod: ObservedPod,
    container: CreatedContainer,
    now: number,
  ): WatchedContainer | undefined {
    const places = sharedPlaces(pod, container.name);
    const group =
      [...this.#groups].find(({ members }) =>
        [...members].every((member) => !overlap(member.places, places)),
      ) ?? this.#newGroup(calls);
    if (group === undefined) return undefined;
    const member: WatchedContainer = {
      podUID: pod.uid,
      container,
      places,
      group,
      mounts: new Set(),
      knownSince: now,
      hasRun: false,
      watchedSince: now,
      restsUntil: 0,
    };
    group.members.add(member);
    this.#containers.set(container.id, member);
    return member;
  }

  #newGroup(calls: Fanotify): Group | undefined {
    const events = this.#groups.size < this.#maxGroups ? MountEvents.make(calls) : undefined;
    if (events === undefined) return undefined;
    const group: Group = { events, members: new Set(), places: new Map() };
    this.#groups.add(group);
    return group;
  }

  #take(calls: Fanotify, group: Group, now: number): void {
    const { events, lost } = group.events.take();
    const folders = new Map<string, FoundFolder | undefined>();
    const counts = new Map<WatchedContainer, number>();
    for (const event of events) {
      const handle = event.place?.folder ?? "";
      if (!folders.has(handle)) folders.set(handle, findFolder(calls, group, handle));
      const folder = folders.get(handle);
      if (folder === undefined) continue;
      const count = (counts.get(folder.member) ?? 0) + 1;
      counts.set(folder.member, count);
      if (count <= busyEvents) this.#note(calls, folder, event, now);
    }
    const byCount = [...counts].sort(([, a], [, b]) => b - a);
    for (const [index, [member, count]] of byCount.entries()) {
      if (count > busyEvents || (lost && index === 0)) this.#leaveAlone(member, now);
    }
  }

  #leaveAlone(watched: WatchedContainer, now: number): void {
    this.#unwatch(watched);
    watched.restsUntil = now + restShare * Math.max(now - watched.watchedSince, tellAgainMilliseconds);
  }

  #unwatch({ container, group, mounts }: WatchedContainer): void {
    for (const mountPath of mounts) {
      const path = resolveInRoot(container.pid, mountPath);
      if (path !== undefined) group.events.unwatch(path);
    }
    mounts.clear();
  }

  #note(calls: Fanotify, folder: FoundFolder, event: FileEvent, now: number): void {
    const { handle, pid: hostPID } = event;
    const { member, volume, hostPath, inside } = folder;
    const { files, uses } = this.#watchedPod(member.podUID);
    const file = withNamedFile(calls, hostPath, handle, ({ facts: { identity, kind } }, path) => {
      member.group.events.ignore(path, event);
      return { identity, kind };
    });
    const { identity, kind } = file ?? files.get(handle) ?? { identity: handle, kind: "file" };
    remember(files, handle, { identity, kind });
    if (kind !== "file" && kind !== "fifo") return;
    const label = `${volume}:${join("/", inside, event.place?.name ?? "")}`;
    const { name: container } = member.container;
    const { pid, process } = identifyIn([member.container], hostPID) ?? {
      pid: undefined,
      process: undefined,
    };
    for (const access of accessesOf(event)) {
      uses.add({ identity, kind, label, access, container, hostPID, pid, process, at: now });
    }
  }

  #watchedPod(uid: string): WatchedPod {
    const pod = this.#watchedPods.get(uid) ?? { uses: new FileUses(), files: new Map() };
    this.#watchedPods.set(uid, pod);
    return pod;
  }

  #forget(id: string, watched: WatchedContainer): void {
    const { group } = watched;
    this.#unwatch(watched);
    this.#containers.delete(id);
    this.#refused.delete(id);
    group.members.delete(watched);
    for (const [handle, { member }] of group.places) if (member === watched) group.places.delete(handle);
    if (group.members.size > 0) return;
    group.events.close();
    this.#groups.delete(group);
  }
}

/** In whose volume a folder is, and where in it. */
interface FoundFolder extends Place {
  readonly member: WatchedContainer;
  readonly inside: string;
}

function findFolder(calls: Fanotify, { members, places }: Group, handle: string): FoundFolder | undefined {
  const known = places.get(handle);
  const candidates = [...members].flatMap((member) => member.places.map((place) => ({ member, place })));
  for (const candidate of known === undefined ? candidates : [known, ...candidates]) {
    const { hostPath } = candidate.place;
    const inside = withNamedFile(calls, hostPath, handle, (folder) => folder.inside);
    if (inside === undefined) continue;
    remember(places, handle, candidate);
    return { ...candidate.place, member: candidate.member, inside };
  }
  return undefined;
}

function remember<T>(known: Map<string, T>, handle: string, value: T): void {
  known.delete(handle);
  known.set(handle, value);
  const [oldest] = known.keys();
  if (known.size > maxHandles && oldest !== undefined) known.delete(oldest);
}

function overlap(some: readonly Place[], others: readonly Place[]): boolean {
  const isIn = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
  return some.some((a) => others.some((b) => isIn(a.hostPath, b.hostPath) || isIn(b.hostPath, a.hostPath)));
}

/** Volumes of a container that another one mounts too, and that somebody may write to. */
function sharedVolumes({ volumes }: ObservedPod, container: string): ObservedVolume[] {
  return volumes.filter(
    ({ mounts }) =>
      mounts.some((mount) => mount.container === container) &&
      mounts.some((mount) => mount.container !== container) &&
      mounts.some(({ readOnly }) => readOnly !== true),
  );
}

function sharedPlaces(pod: ObservedPod, container: string): Place[] {
  return sharedVolumes(pod, container).map(({ name, hostPath }) => ({
    volume: name,
    hostPath: realPath(hostPath),
  }));
}

/** Where a container mounts its shared volumes, and what is mounted there. */
function sharedMounts(pod: ObservedPod, container: string): { mountPath: string; source: string }[] {
  return sharedVolumes(pod, container).flatMap(({ hostPath, mounts }) =>
    mounts
      .filter((mount) => mount.container === container)
      .map(({ mountPath, subPath = "" }) => ({ mountPath, source: join(hostPath, subPath) })),
  );
}

/** Two volumes may be one folder by two names. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
