import type { IStorageClass } from "kubernetes-models/storage.k8s.io/v1/StorageClass";
import type { IPersistentVolume } from "kubernetes-models/v1/PersistentVolume";
import type { IPersistentVolumeClaim } from "kubernetes-models/v1/PersistentVolumeClaim";
import { type Problem, required } from "../problems.ts";
import { type KindRules, kindRules } from "./rules.ts";

const persistentVolume = kindRules<IPersistentVolume>({
  setDefaults: ({ spec }) => {
    if (spec === undefined) return;
    spec.persistentVolumeReclaimPolicy ??= "Retain";
    spec.volumeMode ??= "Filesystem";
    if (spec.hostPath !== undefined) spec.hostPath.type ??= "" as never;
  },
  validate: ({ spec }) => [
    ...accessModes(spec?.accessModes),
    ...(spec?.capacity?.storage === undefined ? [required("spec.capacity")] : []),
  ],
});

const persistentVolumeClaim = kindRules<IPersistentVolumeClaim>({
  setDefaults: ({ spec }) => {
    if (spec !== undefined) spec.volumeMode ??= "Filesystem";
  },
  validate: ({ spec }) => [
    ...accessModes(spec?.accessModes),
    ...(spec?.resources?.requests?.storage === undefined ? [required("spec.resources[storage]")] : []),
  ],
});

const storageClass = kindRules<IStorageClass>({
  immutable: ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
  setDefaults: (object) => {
    object.reclaimPolicy ??= "Delete";
    object.volumeBindingMode ??= "Immediate";
  },
});

function accessModes(modes: readonly string[] | undefined): Problem[] {
  return (modes ?? []).length === 0
    ? [required("spec.accessModes", "at least 1 access mode is required")]
    : [];
}

/** Rules of the kinds that are about storage, by `apiVersion/kind`. */
export const storageRules: Readonly<Record<string, KindRules>> = {
  "v1/PersistentVolume": persistentVolume,
  "v1/PersistentVolumeClaim": persistentVolumeClaim,
  "storage.k8s.io/v1/StorageClass": storageClass,
};
