import type { VolumeType } from "./volume-type.ts";
import { writtenVolume } from "./written-volume.ts";

/** `configMap`: the keys of a ConfigMap as files (https://kubernetes.io/docs/concepts/storage/volumes/#configmap). */
export const configMap: VolumeType = writtenVolume("configMap", "kubernetes.io~configmap", "disk");
