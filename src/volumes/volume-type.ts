import type { Scope } from "../base/scope.ts";
import type { StoredPod, Volume } from "../kube/types.ts";
import type { MountedVolume, VolumeContent, VolumeFile } from "./types.ts";

/** A volume of a pod, and the folder that is its own if its type wants one. */
export interface VolumeRequest {
  readonly pod: StoredPod;
  readonly volume: Volume;
  /** `…/volumes/PLUGIN/NAME`: absent until the type makes it; deleted with the pod. */
  readonly folder: string;
  /** What it shows, for types whose content the agent finds out; undefined where only looking is asked for. */
  readonly content?: VolumeContent | undefined;
}

/** One kind of volume. A new kind is one file like this and one line in registry.ts. */
export interface VolumeType {
  /** The field of v1.Volume that asks for it. */
  readonly field: keyof Volume;
  /** Folder of its volumes below the pod's, as the kubelet names it. */
  readonly plugin: string;
  /** Makes the volume ready, or finds it so. Throws FailedMount. What it puts elsewhere than in `folder` is never deleted. */
  mount(request: VolumeRequest, scope: Scope): Promise<MountedVolume>;
  /** The volume as `mount` left it; undefined when it is not there. Makes nothing. */
  find(request: VolumeRequest): MountedVolume | undefined;
  /** Bytes that the volume may hold; undefined without a limit. */
  limit(request: VolumeRequest): number | undefined;
  /** Puts new files into a mounted volume; absent where its content is not the node's to write. `now`: milliseconds. */
  update?(request: VolumeRequest, files: ReadonlyMap<string, VolumeFile>, now: number): void;
}
