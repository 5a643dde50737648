import type { VolumeType } from "./volume-type.ts";
import { writtenVolume } from "./written-volume.ts";

/** `projected`: several sources in one folder (https://kubernetes.io/docs/concepts/storage/projected-volumes/). */
export const projected: VolumeType = writtenVolume("projected", "kubernetes.io~projected", "memory");
