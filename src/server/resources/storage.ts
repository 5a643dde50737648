import type { IStorageClass } from "kubernetes-models/storage.k8s.io/v1/StorageClass";
import type { IPersistentVolume } from "kubernetes-models/v1/PersistentVolume";
import type { IPersistentVolumeClaim } from "kubernetes-models/v1/PersistentVolumeClaim";
import type { Resource } from "../resource.ts";
import { ageColumn, nameColumn, textColumn } from "../table/columns.ts";
import { stored } from "./stored.ts";

const persistentVolumes = stored({
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  shortNames: ["pv"],
  namespaced: false,
  hasStatus: true,
  deleteReturnsObject: true,
  prepareForCreate: (object) => {
    object.status = { phase: "Pending" };
  },
  columns: [
    nameColumn,
    textColumn<IPersistentVolume>("Capacity", "Its size.", ({ spec }) =>
      String(spec?.capacity?.storage ?? ""),
    ),
    textColumn<IPersistentVolume>("Access Modes", "How it can be mounted.", ({ spec }) =>
      accessModes(spec?.accessModes),
    ),
    textColumn<IPersistentVolume>(
      "Reclaim Policy",
      "What becomes of it when its claim goes.",
      ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? "",
    ),
    textColumn<IPersistentVolume>("Status", "Whether it is in use.", (volume) =>
      phase(volume.metadata?.deletionTimestamp, volume.status?.phase),
    ),
    textColumn<IPersistentVolume>("Claim", "Who has it.", ({ spec }) =>
      spec?.claimRef === undefined ? "" : `${spec.claimRef.namespace}/${spec.claimRef.name}`,
    ),
    textColumn<IPersistentVolume>("StorageClass", "Its class.", ({ spec }) => spec?.storageClassName ?? ""),
    textColumn<IPersistentVolume>(
      "VolumeAttributesClass",
      "Its attributes.",
      ({ spec }) => spec?.volumeAttributesClassName ?? "<unset>",
    ),
    textColumn<IPersistentVolume>("Reason", "Why it is in that state.", ({ status }) => status?.reason ?? ""),
    ageColumn,
    textColumn<IPersistentVolume>(
      "VolumeMode",
      "File system or block device.",
      ({ spec }) => spec?.volumeMode ?? "<unset>",
      { wide: true },
    ),
  ],
});

const persistentVolumeClaims = stored({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  shortNames: ["pvc"],
  hasStatus: true,
  deleteReturnsObject: true,
  prepareForCreate: (object) => {
    object.status = { phase: "Pending" };
  },
  columns: [
    nameColumn,
    textColumn<IPersistentVolumeClaim>("Status", "Whether it has a volume.", (claim) =>
      phase(claim.metadata?.deletionTimestamp, claim.status?.phase),
    ),
    textColumn<IPersistentVolumeClaim>("Volume", "Its volume.", ({ spec }) => spec?.volumeName ?? ""),
    textColumn<IPersistentVolumeClaim>("Capacity", "Its size.", ({ spec, status }) =>
      spec?.volumeName ? String(status?.capacity?.storage ?? "") : "",
    ),
    textColumn<IPersistentVolumeClaim>("Access Modes", "How it can be mounted.", ({ spec, status }) =>
      spec?.volumeName ? accessModes(status?.accessModes) : "",
    ),
    textColumn<IPersistentVolumeClaim>(
      "StorageClass",
      "Its class.",
      ({ spec }) => spec?.storageClassName ?? "",
    ),
    textColumn<IPersistentVolumeClaim>(
      "VolumeAttributesClass",
      "Its attributes.",
      ({ spec }) => spec?.volumeAttributesClassName ?? "<unset>",
    ),
    ageColumn,
    textColumn<IPersistentVolumeClaim>(
      "VolumeMode",
      "File system or block device.",
      ({ spec }) => spec?.volumeMode ?? "<unset>",
      { wide: true },
    ),
  ],
});

const defaultClass = "storageclass.kubernetes.io/is-default-class";

const storageClasses = stored({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  shortNames: ["sc"],
  namespaced: false,
  deleteReturnsObject: true,
  columns: [
    {
      ...nameColumn,
      cell: ({ metadata }) =>
        metadata.annotations?.[defaultClass] === "true" ? `${metadata.name} (default)` : metadata.name,
    },
    textColumn<IStorageClass>("Provisioner", "Who makes volumes.", ({ provisioner }) => provisioner),
    textColumn<IStorageClass>(
      "ReclaimPolicy",
      "What becomes of them.",
      ({ reclaimPolicy }) => reclaimPolicy ?? "Delete",
    ),
    textColumn<IStorageClass>(
      "VolumeBindingMode",
      "When they are made.",
      ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate",
    ),
    {
      name: "AllowVolumeExpansion",
      type: "boolean",
      description: "Whether they can grow.",
      priority: 0,
      cell: (object) => (object as unknown as IStorageClass).allowVolumeExpansion ?? false,
    },
    ageColumn,
  ],
});

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/ */
export const storageResources: readonly Resource[] = [
  persistentVolumes,
  persistentVolumeClaims,
  storageClasses,
];

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

function accessModes(modes: readonly string[] | undefined): string {
  return Object.entries(shortModes)
    .filter(([mode]) => modes?.includes(mode) === true)
    .map(([, short]) => short)
    .join(",");
}

function phase(deletionTimestamp: string | undefined, text: string | undefined): string {
  return deletionTimestamp === undefined ? (text ?? "") : "Terminating";
}
