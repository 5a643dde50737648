import { join } from "node:path";
import { setNewest } from "../base/newest.ts";
import { type Fanotify, fanotify } from "../host/fanotify.ts";
import { MountEvents, maxGroups, withNamedFile } from "../host/mount-events.ts";
import { isSubvolume } from "../host/mount-info.ts";
import { type FileFacts, readFileFacts, resolveInRoot } from "../host/proc.ts";
import { EventGroup, type MemberEvent } from "./event-group.ts";
import { FileUses } from "./file-uses.ts";
import { identifyIn } from "./process-name.ts";
import { type SharedVolume, sharedMounts, sharedVolumes } from "./shared-mounts.ts";
import { accessesOf, type FileUse } from "./snapshot.ts";
import type { CreatedContainer, ObservedPod } from "./types.ts";

/** What is known of a file is told anew after that long, so that the map knows when it was last used. */
const tellAgainMilliseconds = 5_000;
/** A container whose process was not seen to run after that long has ended, or never will. */
const beginMilliseconds = 30_000;
/** More events than that at one look: the container is too busy to be watched all the time. */
const busyEvents = 1_000;
/** For one part of the time that a busy container is watched, it is left alone for so many. */
const restShare = 8;
const maxFiles = 1_000;
const notGranted = "the kernel does not grant fanotify(7)";
/** EXDEV of fanotify_mark(2). */
const notOfSubvolumes = "the kernel tells no events of mounts of a btrfs subvolume";

interface WatchedContainer {
  readonly podUID: string;
  readonly container: CreatedContainer;
  readonly volumes: readonly SharedVolume[];
  readonly group: EventGroup<WatchedContainer>;
  /** By their paths: whether the kernel lets the mounts be watched. */
  readonly mounts: Map<string, boolean>;
  readonly knownSince: number;
  hasRun: boolean;
  watchedSince: number;
  restsUntil: number;
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
  readonly #groups = new Set<EventGroup<WatchedContainer>>();
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

  /** Watches those of a container's mounts of which it was not tried yet. */
  #watch(calls: Fanotify, pod: ObservedPod, container: CreatedContainer, now: number): void {
    const mounts = sharedMounts(pod, container.name);
    const known = this.#containers.get(container.id);
    if (mounts.length <= (known?.mounts.size ?? 0) || now < (known?.restsUntil ?? 0)) return;
    if (known === undefined) this.#refused.delete(container.id);
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
      const isWatched = watched.group.events.watch(path);
      watched.mounts.set(mountPath, isWatched);
      if (!isWatched) this.#refused.set(container.id, isSubvolume(source) ? notOfSubvolumes : notGranted);
    }
  }

  #newMember(
    calls: Fanotify,
    pod: ObservedPod,
    container: CreatedContainer,
    now: number,
  ): WatchedContainer | undefined {
    const volumes = sharedVolumes(pod, container.name);
    const group = [...this.#groups].find((each) => each.suits(volumes)) ?? this.#newGroup(calls);
    if (group === undefined) return undefined;
    const member: WatchedContainer = {
      podUID: pod.uid,
      container,
      volumes,
      group,
      mounts: new Map(),
      knownSince: now,
      hasRun: false,
      watchedSince: now,
      restsUntil: 0,
    };
    group.add(member);
    this.#containers.set(container.id, member);
    return member;
  }

  #newGroup(calls: Fanotify): EventGroup<WatchedContainer> | undefined {
    if (this.#groups.size >= this.#maxGroups) return undefined;
    const group = EventGroup.make<WatchedContainer>(calls);
    if (group !== undefined) this.#groups.add(group);
    return group;
  }

  #take(calls: Fanotify, group: EventGroup<WatchedContainer>, now: number): void {
    const { events, lost } = group.take();
    const counts = new Map<WatchedContainer, number>();
    for (const each of events) {
      const count = (counts.get(each.member) ?? 0) + 1;
      counts.set(each.member, count);
      if (count <= busyEvents) this.#note(calls, each, now);
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
    for (const [mountPath, isWatched] of mounts) {
      if (!isWatched) continue;
      const path = resolveInRoot(container.pid, mountPath);
      if (path !== undefined) group.events.unwatch(path);
    }
    mounts.clear();
  }

  #note(
    calls: Fanotify,
    { member, volume, inside, event }: MemberEvent<WatchedContainer>,
    now: number,
  ): void {
    const { handle, pid: hostPID } = event;
    const { files, uses } = this.#watchedPod(member.podUID);
    const file = withNamedFile(calls, volume.hostPath, handle, ({ facts: { identity, kind } }, path) => {
      member.group.events.ignore(path, event);
      return { identity, kind };
    });
    const { identity, kind } = file ?? files.get(handle) ?? { identity: handle, kind: "file" };
    setNewest(files, handle, { identity, kind }, maxFiles);
    if (kind !== "file" && kind !== "fifo") return;
    const label = `${volume.name}:${join("/", inside, event.place?.name ?? "")}`;
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
    group.remove(watched);
    if (!group.isEmpty) return;
    group.events.close();
    this.#groups.delete(group);
  }
}
