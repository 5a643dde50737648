import { isNotFound, PeapodError } from "../../base/errors.ts";
import type { PersistentVolume, PersistentVolumeClaim, StoredPod, Volume } from "../../kube/types.ts";
import type { Store } from "../../store/types.ts";
import type { VolumeContent, VolumeService } from "../../volumes/types.ts";
import { claimName } from "../configuration/references.ts";
import { bindClaim } from "./bind-claim.ts";

/** What claims are served with. */
export interface ClaimDependencies {
  readonly store: Store;
  readonly volumes: Pick<VolumeService, "makeClaimFolder">;
  readonly nodeName: string;
}

/**
 * The folder behind a volume that is a claim (`persistentVolumeClaim`, `ephemeral`), bound on its first use as a
 * storage class with `WaitForFirstConsumer` does; undefined for any other volume. Throws FailedMount
 * (https://kubernetes.io/docs/concepts/storage/persistent-volumes/).
 */
export function claimedFolder(
  pod: StoredPod,
  volume: Volume,
  dependencies: ClaimDependencies,
): VolumeContent | undefined {
  const name = claimName(pod, volume);
  if (name === undefined) return undefined;
  const claim =
    volume.ephemeral === undefined
      ? getClaim(pod, name, dependencies)
      : ownClaim(pod, volume, name, dependencies);
  if (claim.metadata?.deletionTimestamp !== undefined) {
    throw failure(`persistentvolumeclaim "${name}" is being deleted`);
  }
  if (claim.spec?.volumeMode === "Block") throw failure(`persistentvolumeclaim "${name}" is a block device`);
  const path = folderOf(bindClaim(claim, dependencies));
  if (path === undefined) {
    throw failure(`persistentvolumeclaim "${name}" is bound to a volume that is neither local nor hostPath`);
  }
  return { folder: path, readOnly: volume.persistentVolumeClaim?.readOnly === true };
}

function folderOf({ spec }: PersistentVolume): string | undefined {
  return spec?.local?.path ?? spec?.hostPath?.path;
}

function getClaim(pod: StoredPod, name: string, { store }: ClaimDependencies): PersistentVolumeClaim {
  const { namespace } = pod.metadata;
  try {
    return store.get({
      resource: "persistentvolumeclaims",
      namespace,
      name,
    }) as unknown as PersistentVolumeClaim;
  } catch (error) {
    if (isNotFound(error)) throw failure(`persistentvolumeclaim "${name}" not found`);
    throw error;
  }
}

/** The claim that is made for one volume of one pod, and goes with the pod. */
function ownClaim(
  pod: StoredPod,
  volume: Volume,
  name: string,
  dependencies: ClaimDependencies,
): PersistentVolumeClaim {
  const { namespace, name: podName, uid } = pod.metadata;
  const template = volume.ephemeral?.volumeClaimTemplate;
  try {
    const claim = getClaim(pod, name, dependencies);
    if (claim.metadata?.ownerReferences?.some((owner) => owner.uid === uid)) return claim;
    throw failure(
      `PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`,
    );
  } catch (error) {
    if (!(error instanceof PeapodError) || !error.message.endsWith("not found")) throw error;
  }
  const { labels, annotations } = template?.metadata ?? {};
  return dependencies.store.create("persistentvolumeclaims", {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [
        { apiVersion: "v1", kind: "Pod", name: podName, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: { ...template?.spec },
    status: { phase: "Pending" },
  }) as unknown as PersistentVolumeClaim;
}

function failure(message: string): PeapodError {
  return new PeapodError("FailedMount", message);
}
