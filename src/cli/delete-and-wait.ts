import { errorCode, isNotFound } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { Client, DeleteOptions } from "../client/client.ts";
import { pods } from "../client/resources.ts";
import type { StoredPod } from "../kube/types.ts";

/** Which pod is meant: the one of that name, and no later one of the same name if `uid` is there. */
export interface PodIdentity {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly uid?: string };
}

/**
 * Deletes the pods, all at once, and resolves when none of them is left. `onGone` is called for each as it goes. A
 * pod that is gone already, or replaced by another of its name, counts as deleted.
 */
export async function deleteAndWait(
  client: Client,
  targets: readonly PodIdentity[],
  options: DeleteOptions & { readonly onGone?: (pod: PodIdentity) => void },
  scope: Scope,
): Promise<void> {
  const { onGone, ...deleteOptions } = options;
  await Promise.all(
    targets.map(async (pod) => {
      await requestDeletion(client, pod, deleteOptions, scope);
      await waitUntilGone(client, pod, scope);
      onGone?.(pod);
    }),
  );
}

async function requestDeletion(
  client: Client,
  { metadata: { namespace, name, uid } }: PodIdentity,
  options: DeleteOptions,
  scope: Scope,
): Promise<void> {
  try {
    // 0 has the API forget the pod at once, and then there is nothing to wait for: kubectl, too, asks for 1 instead.
    const { gracePeriodSeconds } = options;
    const grace =
      gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: Math.max(gracePeriodSeconds, 1) };
    const body = { ...grace, ...(uid === undefined ? {} : { preconditions: { uid } }) };
    await client.delete(pods, { namespace, name }, body, scope);
  } catch (error) {
    if (!isNotFound(error) && errorCode(error) !== "Conflict") throw error;
  }
}

/** Resolves when the pod is not there any more. Rejects with the signal's reason. */
export async function waitUntilGone(
  client: Client,
  { metadata: { namespace, name, uid } }: PodIdentity,
  scope: Scope,
): Promise<void> {
  let current: StoredPod;
  try {
    current = await client.get<StoredPod>(pods, { namespace, name }, scope);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  if (uid !== undefined && current.metadata.uid !== uid) return;
  const options = {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    resourceVersion: current.metadata.resourceVersion,
  };
  for await (const { type } of client.watch<StoredPod>(pods, options, scope)) if (type === "DELETED") return;
  scope.signal.throwIfAborted();
}
