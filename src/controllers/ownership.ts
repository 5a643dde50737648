import { matchesSelector } from "../kube/match-selector.ts";
import type { KubernetesObject, LabelSelector, OwnerReference } from "../kube/types.ts";
import type { ResourceName } from "../store/types.ts";
import type { Action, ObjectReader } from "./types.ts";

/** The reference of the one owner that controls the object. */
export function controllerOf({ metadata }: Pick<KubernetesObject, "metadata">): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** A reference by which `owner` controls an object, as kube-controller-manager writes it. */
export function controllerReference(owner: KubernetesObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  const { name, uid } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/**
 * Sorts out which of the objects belong to `owner`
 * (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions): its own that
 * it still selects; those without a controller that it selects are adopted, its own that it does not select any more
 * released, both by the returned actions. An owner that is being deleted adopts nothing.
 */
export function claim<T extends Pick<KubernetesObject, "metadata">>(
  owner: KubernetesObject,
  selector: LabelSelector | undefined,
  resource: ResourceName,
  candidates: readonly T[],
): { readonly owned: readonly T[]; readonly actions: readonly Action[] } {
  const owned: T[] = [];
  const actions: Action[] = [];
  const isEnding = owner.metadata.deletionTimestamp !== undefined;
  for (const candidate of candidates) {
    const { name, uid, labels, ownerReferences = [], deletionTimestamp } = candidate.metadata;
    const controller = controllerOf(candidate);
    const isSelected = matchesSelector(selector, labels);
    const write = (references: readonly OwnerReference[]) =>
      actions.push({
        do: "patch",
        resource,
        name,
        uid,
        patch: { metadata: { ownerReferences: references.length === 0 ? null : references } },
      });
    if (controller?.uid === owner.metadata.uid) {
      if (isSelected) owned.push(candidate);
      else if (!isEnding) write(ownerReferences.filter((reference) => reference.uid !== owner.metadata.uid));
    } else if (controller === undefined && isSelected && !isEnding && deletionTimestamp === undefined) {
      owned.push(candidate);
      write([...ownerReferences, controllerReference(owner)]);
    }
  }
  return { owned, actions };
}

/**
 * For {@link Controller.follows}: the owner of a dependent, or for one that nobody controls whoever selects it.
 */
export function ownersOf(
  kind: string,
  resource: ResourceName,
  selectorOf: (owner: KubernetesObject) => LabelSelector | undefined,
): (changed: KubernetesObject, objects: ObjectReader) => readonly string[] {
  return (changed, objects) => {
    const controller = controllerOf(changed);
    if (controller !== undefined) return controller.kind === kind ? [controller.name] : [];
    const { labels, namespace } = changed.metadata;
    if (labels === undefined || namespace === undefined) return [];
    const selects = (owner: KubernetesObject) => matchesSelector(selectorOf(owner), labels);
    return objects.list(resource, { namespace, matches: selects }).items.map(({ metadata }) => metadata.name);
  };
}
