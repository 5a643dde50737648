import type { VolumeType } from "./volume-type.ts";
import { writtenVolume } from "./written-volume.ts";

/** `secret`: the keys of a Secret as files in memory (https://kubernetes.io/docs/concepts/storage/volumes/#secret). */
export const secret: VolumeType = writtenVolume("secret", "kubernetes.io~secret", "memory");
