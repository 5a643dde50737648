import type { Scope } from "../base/scope.ts";
import type { StoredPod } from "../kube/types.ts";

/** A volume of a pod that is ready to be bind-mounted into containers. */
export interface MountedVolume {
  readonly name: string;
  /** Absolute path on the host. */
  readonly hostPath: string;
  /** Whether Peapod made it and deletes it with the pod (`hostPath` volumes are never deleted). */
  readonly owned: boolean;
  /** `tmpfs` for volumes in memory. */
  readonly medium: "disk" | "memory";
  /** Whether containers can only read it, whatever their volumeMount says. */
  readonly readOnly?: boolean;
  /** Whether containers can execute no program in it. */
  readonly noExec?: boolean;
  /** Whether the pod's user namespace owns its files already, by what the agent gave. */
  readonly idsMapped?: boolean;
}

/** One file of a volume whose content comes from the API. */
export interface VolumeFile {
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  /** UID; absent: root. */
  readonly owner?: number;
}

/**
 * What a volume shows, found out by the agent: files by their path in the volume, or a folder of this machine that
 * is there already.
 */
export type VolumeContent =
  | { readonly files: ReadonlyMap<string, VolumeFile> }
  | { readonly folder: string; readonly readOnly: boolean };

/** A part of a volume that is mounted by itself (`subPath`). */
export interface SubPathRequest {
  readonly volume: MountedVolume;
  /** Name of the container, and the place of the mount in its volumeMounts: they name the part on this machine. */
  readonly container: string;
  readonly index: number;
  /** Relative path in the volume, without `..`. */
  readonly path: string;
  /** Whether a missing path may be made. */
  readonly create: boolean;
}

/** What a volume uses of its limit, in bytes. */
export interface VolumeUsage {
  readonly name: string;
  readonly usedBytes: number;
  readonly limitBytes: number | undefined;
}

/** Where a part of a volume is mounted. */
export interface MountedSubPath {
  readonly hostPath: string;
  readonly isFolder: boolean;
}

/** The volumes of the pods on this node. Every call is idempotent. */
export interface VolumeService {
  /**
   * Makes and mounts every volume of the pod; a volume that is there already gets its content anew. `contents` has
   * an entry, by volume name, for each volume that cannot be made of the pod's specification alone. Throws
   * FailedMount with a message fit for a pod event.
   */
  mount(
    pod: StoredPod,
    contents: ReadonlyMap<string, VolumeContent>,
    scope: Scope,
  ): Promise<ReadonlyMap<string, MountedVolume>>;
  /**
   * Puts new content into a volume that is mounted: all files change at one instant, and unchanged content changes
   * nothing. Does nothing for a volume that is not mounted.
   */
  update(pod: StoredPod, volumeName: string, files: ReadonlyMap<string, VolumeFile>): void;
  /**
   * A path of this machine that shows one file or folder of a volume and nothing above it, for one start of a
   * container. No symbolic link of the volume leads out of it. Throws CreateContainerConfigError.
   */
  mountSubPath(podUID: string, request: SubPathRequest, scope: Scope): Promise<MountedSubPath>;
  /**
   * Makes the folder of a claim's volume, open to every user, or finds it; returns its path. It outlives pods, until
   * {@link deleteClaimFolder}.
   */
  makeClaimFolder(name: string): string;
  /** Deletes a folder that `makeClaimFolder` made; does nothing for any other path. */
  deleteClaimFolder(path: string, scope: Scope): Promise<void>;
  /** The value of a variable in a file of `NAME=value` lines in a volume; undefined when there is none. */
  readVariable(volume: MountedVolume, path: string, name: string): string | undefined;
  /** Unmounts and deletes all that `mount` made for the pod; done when there is nothing. */
  unmount(podUID: string, scope: Scope): Promise<void>;
  /** What `mount` made for the pod, without making anything. */
  find(pod: StoredPod): ReadonlyMap<string, MountedVolume>;
  /** UIDs of all pods that have volumes here. */
  list(): readonly string[];
  /** Bytes on disk of each folder; one that could not be measured in time is left out. */
  measure(folders: readonly string[], scope: Scope): Promise<ReadonlyMap<string, number>>;
  /** Use of every volume that has a sizeLimit. */
  usage(pod: StoredPod, scope: Scope): Promise<readonly VolumeUsage[]>;
}
