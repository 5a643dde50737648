import { isNotFound } from "../base/errors.ts";
import { type ResourceType, workloadTypes } from "../client/resources.ts";
import type { KubernetesObject } from "../kube/types.ts";
import type { Session } from "./session.ts";

/** An object that makes pods, and its type. */
export interface Workload {
  readonly type: ResourceType;
  readonly object: KubernetesObject;
}

/** All of the node, or of the session's namespace; those that make others of them first. */
export async function everyWorkload({ client, namespace, scope }: Session): Promise<Workload[]> {
  const lists = await Promise.all(
    workloadTypes.map(async (type) => {
      try {
        const { items } = await client.list(type, { namespace }, scope);
        return items.map((object) => ({ type, object }));
      } catch (error) {
        // A daemon of an earlier version need not have the type.
        if (isNotFound(error)) return [];
        throw error;
      }
    }),
  );
  return lists.flat();
}

/**
 * Deletes the workloads, so that nothing makes their pods anew, and says so of those that nothing else owns. Their
 * pods and what else they own are deleted by the server soon after.
 */
export async function removeWorkloads(workloads: readonly Workload[], session: Session): Promise<void> {
  const { client, terminal, scope } = session;
  for (const { type, object } of workloads) {
    const { namespace, name, uid, ownerReferences = [] } = object.metadata;
    try {
      await client.delete(type, { namespace, name }, { preconditions: { uid } }, scope);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (ownerReferences.length === 0) terminal.out(`${type.singular} "${name}" deleted\n`);
  }
}
