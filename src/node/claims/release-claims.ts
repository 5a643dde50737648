import { isNotFound } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import type { KubernetesObject, PersistentVolume, StoredPod } from "../../kube/types.ts";
import type { Store } from "../../store/types.ts";
import type { VolumeService } from "../../volumes/types.ts";
import { referencesOf } from "../configuration/references.ts";
import { claimProtection, provisionedBy, provisioner } from "./bind-claim.ts";

interface Dependencies {
  readonly store: Store;
  readonly volumes: Pick<VolumeService, "deleteClaimFolder">;
}

/**
 * Lets go of claims that are being deleted and that no pod uses any more, and of what was made for claims that are
 * gone: a volume of this node's own is deleted with its folder, another one is marked Released. Idempotent.
 */
export async function releaseClaims({ store, volumes }: Dependencies, scope: Scope): Promise<void> {
  const pods = store.list("pods").items as unknown as StoredPod[];
  for (const claim of store.list("persistentvolumeclaims").items) {
    if (claim.metadata.deletionTimestamp !== undefined && !isUsed(claim, pods)) unprotect(claim, store);
  }
  const claims = new Set(store.list("persistentvolumeclaims").items.map(({ metadata }) => metadata.uid));
  for (const object of store.list("persistentvolumes").items) {
    const volume = object as unknown as PersistentVolume;
    const claimUID = volume.spec?.claimRef?.uid;
    if (claimUID === undefined || claims.has(claimUID)) continue;
    await release(object, volume, { store, volumes }, scope);
  }
}

function isUsed({ metadata }: KubernetesObject, pods: readonly StoredPod[]): boolean {
  return pods.some(
    (pod) => pod.metadata.namespace === metadata.namespace && referencesOf(pod).claims.has(metadata.name),
  );
}

function unprotect(claim: KubernetesObject, store: Store): void {
  ignoringGone(() => {
    const left = (claim.metadata.finalizers ?? []).filter((name) => name !== claimProtection);
    if (left.length === 0) store.delete(claimKey(claim));
    else {
      store.update(claimKey(claim), (current) => ({
        ...current,
        metadata: { ...current.metadata, finalizers: left },
      }));
    }
  });
}

async function release(
  object: KubernetesObject,
  { metadata, spec, status }: PersistentVolume,
  { store, volumes }: Dependencies,
  scope: Scope,
): Promise<void> {
  const key = { resource: "persistentvolumes", namespace: "", name: object.metadata.name };
  const isOwn = metadata?.annotations?.[provisionedBy] === provisioner;
  if (isOwn && spec?.persistentVolumeReclaimPolicy === "Delete") {
    await volumes.deleteClaimFolder(spec.local?.path ?? "", scope);
    ignoringGone(() => store.delete(key));
  } else if (status?.phase !== "Released") {
    ignoringGone(() =>
      store.update(key, (current) => ({
        ...current,
        status: { ...(current.status as object), phase: "Released" },
      })),
    );
  }
}

function claimKey({ metadata }: KubernetesObject) {
  return { resource: "persistentvolumeclaims", namespace: metadata.namespace ?? "", name: metadata.name };
}

function ignoringGone(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
