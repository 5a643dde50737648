import type { Volume } from "../kube/types.ts";
import { configMap } from "./config-map.ts";
import { downwardAPI } from "./downward-api.ts";
import { emptyDir } from "./empty-dir.ts";
import { hostPath } from "./host-path.ts";
import { projected } from "./projected.ts";
import { ephemeral, image, persistentVolumeClaim } from "./provided-volume.ts";
import { secret } from "./secret.ts";
import type { VolumeType } from "./volume-type.ts";

/** Every kind of volume that this node can mount. */
const volumeTypes: readonly VolumeType[] = [
  emptyDir,
  hostPath,
  configMap,
  secret,
  downwardAPI,
  projected,
  image,
  persistentVolumeClaim,
  ephemeral,
];

/** The type that the volume asks for; undefined when this node has no such type. A volume without any is an emptyDir. */
export function volumeTypeOf(volume: Volume): VolumeType | undefined {
  const found = volumeTypes.find((type) => volume[type.field] !== undefined);
  if (found !== undefined) return found;
  return sourceField(volume) === undefined ? emptyDir : undefined;
}

/** The field that says what kind of volume it is, e.g. `nfs`. */
export function sourceField(volume: Volume): string | undefined {
  return Object.entries(volume).find(([field, value]) => field !== "name" && value !== undefined)?.[0];
}
