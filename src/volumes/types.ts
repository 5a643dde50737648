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
}

/** What a volume uses of its limit, in bytes. */
export interface VolumeUsage {
  readonly name: string;
  readonly usedBytes: number;
  readonly limitBytes: number | undefined;
}

/** The volumes of the pods on this node. Every call is idempotent. */
export interface VolumeService {
  /** Makes and mounts every volume of the pod. Throws FailedMount with a message fit for a pod event. */
  mount(pod: StoredPod, scope: Scope): Promise<ReadonlyMap<string, MountedVolume>>;
  /** Unmounts and deletes all that `mount` made for the pod; done when there is nothing. */
  unmount(podUID: string, scope: Scope): Promise<void>;
  /** What `mount` made for the pod, without making anything. */
  find(pod: StoredPod): ReadonlyMap<string, MountedVolume>;
  /** UIDs of all pods that have volumes here. */
  list(): readonly string[];
  /** Use of every volume that has a sizeLimit. */
  usage(pod: StoredPod, scope: Scope): Promise<readonly VolumeUsage[]>;
}
