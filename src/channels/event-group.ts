import { setNewest } from "../base/newest.ts";
import type { Fanotify, FileEvent } from "../host/fanotify.ts";
import { MountEvents, withNamedFile } from "../host/mount-events.ts";
import { haveFilesInCommon, type SharedVolume } from "./shared-mounts.ts";

const maxFolders = 1_000;

/** Who is watched: a container with its shared volumes. */
interface Member {
  readonly volumes: readonly SharedVolume[];
}

/** In whose volume a folder is, and where in it: empty for the volume itself. */
interface Folder<M> {
  readonly member: M;
  readonly volume: SharedVolume;
  readonly inside: string;
}

/** An event with the container whose it was. */
export interface MemberEvent<M> extends Folder<M> {
  readonly event: FileEvent;
}

/**
 * Containers whose file events come together: an event tells the file, and no two of them have a volume in common, so that
 * the file tells whose it was. The kernel gives a user few groups, and a node has many containers.
 */
export class EventGroup<M extends Member> {
  readonly events: MountEvents;
  readonly #calls: Fanotify;
  readonly #members = new Set<M>();
  /** By a folder's handle, where it was found last. */
  readonly #folders = new Map<string, { readonly member: M; readonly volume: SharedVolume }>();

  /** Undefined where the kernel gives no more of them. */
  static make<M extends Member>(calls: Fanotify): EventGroup<M> | undefined {
    const events = MountEvents.make(calls);
    return events === undefined ? undefined : new EventGroup<M>(calls, events);
  }

  private constructor(calls: Fanotify, events: MountEvents) {
    this.#calls = calls;
    this.events = events;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** Whether a container with these volumes could be told from all members. */
  suits(volumes: readonly SharedVolume[]): boolean {
    return ![...this.#members].some((member) => haveFilesInCommon(member.volumes, volumes));
  }

  add(member: M): void {
    this.#members.add(member);
  }

  remove(member: M): void {
    this.#members.delete(member);
    for (const [handle, folder] of this.#folders) if (folder.member === member) this.#folders.delete(handle);
  }

  /** What happened in the members' volumes since the last time; `lost`: there was more than the kernel keeps. */
  take(): { events: MemberEvent<M>[]; lost: boolean } {
    const { events, lost } = this.events.take();
    const folders = new Map<string, Folder<M> | undefined>();
    const own = events.flatMap((event) => {
      const handle = event.place?.folder ?? "";
      if (!folders.has(handle)) folders.set(handle, this.#find(handle));
      const folder = folders.get(handle);
      return folder === undefined ? [] : [{ ...folder, event }];
    });
    return { events: own, lost };
  }

  #find(handle: string): Folder<M> | undefined {
    const known = this.#folders.get(handle);
    const all = [...this.#members].flatMap((member) => member.volumes.map((volume) => ({ member, volume })));
    for (const candidate of known === undefined ? all : [known, ...all]) {
      const { hostPath } = candidate.volume;
      const inside = withNamedFile(this.#calls, hostPath, handle, (folder) => folder.inside);
      if (inside === undefined) continue;
      setNewest(this.#folders, handle, candidate, maxFolders);
      return { ...candidate, inside };
    }
    return undefined;
  }
}
