import { existsSync, mkdirSync } from "node:fs";
import { PeapodError } from "../base/errors.ts";
import { bindMount, isMounted } from "../host/mounts.ts";
import type { Volume } from "../kube/types.ts";
import { applyOwnership, ownershipOf } from "./ownership.ts";
import type { MountedVolume } from "./types.ts";
import type { VolumeRequest, VolumeType } from "./volume-type.ts";

/**
 * A type of volume that shows a folder of this machine which the agent found or made: it is bound into the pod's own
 * folder, so that all that is left of it with the pod is a mount.
 */
function providedVolume(field: keyof Volume, plugin: string, isImage: boolean): VolumeType {
  const describe = ({ volume, folder }: VolumeRequest, readOnly: boolean): MountedVolume => ({
    name: volume.name,
    hostPath: folder,
    owned: true,
    medium: "disk",
    readOnly,
    noExec: isImage,
    // An image's files come as a container's root file system, whose owners are right.
    idsMapped: isImage,
  });
  return {
    field,
    plugin,
    async mount(request, scope) {
      const { pod, folder, content } = request;
      if (content === undefined || !("folder" in content)) {
        throw new PeapodError("InternalError", `volume ${request.volume.name} has no folder`);
      }
      if (!existsSync(content.folder)) {
        throw new PeapodError("FailedMount", `path "${content.folder}" does not exist`);
      }
      if (!isMounted(folder)) {
        if (!content.readOnly) applyOwnership(content.folder, false, ownershipOf(pod.spec));
        mkdirSync(folder, { recursive: true, mode: 0o755 });
        await bindMount(content.folder, folder, ["rbind"], scope);
      }
      return describe(request, content.readOnly);
    },
    find(request) {
      const readOnly = isImage || request.volume.persistentVolumeClaim?.readOnly === true;
      return isMounted(request.folder) ? describe(request, readOnly) : undefined;
    },
    limit: () => undefined,
  };
}

/** `image`: the files of an image, only to be read (https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/). */
export const image: VolumeType = providedVolume("image", "kubernetes.io~image", true);

/** `persistentVolumeClaim`: a folder that outlives pods (https://kubernetes.io/docs/concepts/storage/persistent-volumes/). */
export const persistentVolumeClaim: VolumeType = providedVolume(
  "persistentVolumeClaim",
  "kubernetes.io~local-volume",
  false,
);

/** `ephemeral`: a claim that lives and dies with the pod (https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/). */
export const ephemeral: VolumeType = providedVolume("ephemeral", "kubernetes.io~local-volume", false);
