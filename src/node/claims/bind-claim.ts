import { parseQuantity } from "../../kube/quantity.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../kube/types.ts";
import type { Store } from "../../store/types.ts";
import type { VolumeService } from "../../volumes/types.ts";

/** Keeps a claim until no pod uses it any more. */
export const claimProtection = "kubernetes.io/pvc-protection";

/** Marks the volumes that this node made, which are deleted with their claims. */
export const provisionedBy = "pv.kubernetes.io/provisioned-by";
export const provisioner = "peapod.dev/local-path";

interface Binder {
  readonly store: Store;
  readonly volumes: Pick<VolumeService, "makeClaimFolder">;
  readonly nodeName: string;
}

/**
 * The volume of a claim: the one it is bound to, else a free one that fits, else a new folder of this machine. Binds
 * both to each other. The size that a claim asks for is noted, not enforced.
 */
export function bindClaim(claim: PersistentVolumeClaim, binder: Binder): PersistentVolume {
  const { store } = binder;
  const bound = claim.spec?.volumeName;
  if (bound) return store.get(volumeKey(bound)) as unknown as PersistentVolume;
  const free = (store.list("persistentvolumes").items as unknown as PersistentVolume[]).find((volume) =>
    fits(volume, claim),
  );
  const volume = free ?? create(claim, binder);
  const name = volume.metadata?.name ?? "";
  const bindingSide = store.update(volumeKey(name), (current) => ({
    ...current,
    spec: { ...(current.spec as object), claimRef: referenceTo(claim) },
    status: { ...(current.status as object), phase: "Bound" },
  }));
  const { namespace = "", name: claimName = "" } = claim.metadata ?? {};
  store.update({ resource: "persistentvolumeclaims", namespace, name: claimName }, (current) => ({
    ...current,
    metadata: {
      ...current.metadata,
      annotations: { ...current.metadata.annotations, "pv.kubernetes.io/bind-completed": "yes" },
      finalizers: [...new Set([...(current.metadata.finalizers ?? []), claimProtection])],
    },
    spec: { ...(current.spec as object), volumeName: name },
    status: { phase: "Bound", accessModes: volume.spec?.accessModes, capacity: volume.spec?.capacity },
  }));
  return bindingSide as unknown as PersistentVolume;
}

function create(claim: PersistentVolumeClaim, { store, volumes, nodeName }: Binder): PersistentVolume {
  const name = `pvc-${claim.metadata?.uid}`;
  return store.create("persistentvolumes", {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, annotations: { [provisionedBy]: provisioner } },
    spec: {
      // At once: a daemon killed before the next step must not leave it to another claim.
      claimRef: referenceTo(claim),
      accessModes: claim.spec?.accessModes,
      capacity: { storage: claim.spec?.resources?.requests?.storage ?? "0" },
      persistentVolumeReclaimPolicy: "Delete",
      volumeMode: "Filesystem",
      ...(claim.spec?.storageClassName ? { storageClassName: claim.spec.storageClassName } : {}),
      local: { path: volumes.makeClaimFolder(name) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [nodeName] }] },
          ],
        },
      },
    },
    status: { phase: "Available" },
  }) as unknown as PersistentVolume;
}

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding */
function fits({ metadata, spec, status }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reserved = spec?.claimRef;
  const { namespace, name, uid } = claim.metadata ?? {};
  if (reserved !== undefined) {
    const isMine = reserved.namespace === namespace && reserved.name === name;
    return isMine && (reserved.uid === undefined || reserved.uid === uid);
  }
  if (metadata?.deletionTimestamp !== undefined || status?.phase === "Released") return false;
  if ((spec?.storageClassName ?? "") !== (claim.spec?.storageClassName ?? "")) return false;
  const modes: readonly string[] = spec?.accessModes ?? [];
  if (!(claim.spec?.accessModes ?? []).every((mode) => modes.includes(mode))) return false;
  return bytes(spec?.capacity?.storage) >= bytes(claim.spec?.resources?.requests?.storage);
}

function referenceTo(claim: PersistentVolumeClaim): object {
  const { namespace, name, uid } = claim.metadata ?? {};
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid };
}

function volumeKey(name: string) {
  return { resource: "persistentvolumes", namespace: "", name };
}

function bytes(amount: string | number | undefined): bigint {
  return (amount === undefined ? undefined : parseQuantity(amount))?.nano ?? 0n;
}
