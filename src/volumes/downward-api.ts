import type { VolumeType } from "./volume-type.ts";
import { writtenVolume } from "./written-volume.ts";

/** `downwardAPI`: fields of the pod as files (https://kubernetes.io/docs/concepts/storage/volumes/#downwardapi). */
export const downwardAPI: VolumeType = writtenVolume("downwardAPI", "kubernetes.io~downward-api", "memory");
