import type { IControllerRevision } from "kubernetes-models/apps/v1/ControllerRevision";
import type { KubernetesObject, LabelSelector, PodTemplateSpec } from "../kube/types.ts";
import { controllerOf, controllerReference } from "./ownership.ts";
import { templateHash } from "./template-hash.ts";
import type { Action, ObjectReader } from "./types.ts";

/** A ControllerRevision that the API has accepted. */
export type StoredRevision = KubernetesObject & Pick<IControllerRevision, "data" | "revision">;

/** Label of a pod: which revision of the template it is of. */
export const revisionLabel = "controller-revision-hash";

/** What keeps its templates as ControllerRevisions. */
export interface RevisionedOwner extends KubernetesObject {
  readonly spec: { readonly template: PodTemplateSpec; readonly revisionHistoryLimit?: number };
}

/** The hash of the owner's present template. */
export function hashOf(owner: RevisionedOwner): string {
  return templateHash(owner.spec.template, 0);
}

/** Name of the ControllerRevision with the owner's present template. */
export function revisionName(owner: RevisionedOwner): string {
  return `${owner.metadata.name}-${hashOf(owner)}`;
}

/** The template that the named revision has kept. */
export function templateOf(
  revisions: readonly StoredRevision[],
  name: string | undefined,
): PodTemplateSpec | undefined {
  const found = revisions.find(({ metadata }) => metadata.name === name);
  const { spec } = (found?.data ?? {}) as { spec?: { template?: PodTemplateSpec & { $patch?: string } } };
  if (spec?.template === undefined) return undefined;
  const { $patch: _, ...template } = spec.template;
  return template;
}

/**
 * Steps that keep the history that `kubectl rollout history` and `undo` read: the present template has a revision with
 * the highest number, and of the others that no pod needs only the newest `revisionHistoryLimit` stay.
 */
export function keepRevisions(
  owner: RevisionedOwner,
  revisions: readonly StoredRevision[],
  isUsed: (revision: StoredRevision) => boolean,
): readonly Action[] {
  const name = revisionName(owner);
  const present = revisions.find(({ metadata }) => metadata.name === name);
  const others = revisions.filter((revision) => revision !== present);
  const next = Math.max(0, ...others.map(({ revision }) => revision)) + 1;
  const actions: Action[] = [];
  if (present === undefined) {
    actions.push({ do: "create", resource, object: newRevision(owner, next) });
  } else if (present.revision < next) {
    actions.push({ do: "patch", resource, name, uid: present.metadata.uid, patch: { revision: next } });
  }
  const unused = others.filter((revision) => !isUsed(revision)).sort((a, b) => a.revision - b.revision);
  const surplus = unused.slice(0, Math.max(0, unused.length - (owner.spec.revisionHistoryLimit ?? 10)));
  for (const { metadata } of surplus) {
    actions.push({ do: "delete", resource, name: metadata.name, uid: metadata.uid });
  }
  return actions;
}

const resource = "controllerrevisions.apps";

function newRevision(owner: RevisionedOwner, revision: number) {
  const { template } = owner.spec;
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: revisionName(owner),
      labels: { ...template.metadata?.labels, [revisionLabel]: hashOf(owner) },
      annotations: copied(owner),
      ownerReferences: [controllerReference(owner)],
    },
    // A strategic merge patch, as kubectl sends it to go back to the revision.
    data: { spec: { template: { ...template, $patch: "replace" } } },
    revision,
  };
}

/** kubectl shows the cause of a change beside its revision. */
function copied({ metadata }: KubernetesObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(
      ([key]) => key !== "kubectl.kubernetes.io/last-applied-configuration",
    ),
  );
}

/** The owner's own ControllerRevisions. */
export function revisionsOf(owner: KubernetesObject, objects: ObjectReader): readonly StoredRevision[] {
  const { namespace = "", uid } = owner.metadata;
  const isOwn = (revision: KubernetesObject) => controllerOf(revision)?.uid === uid;
  return objects.list(resource, { namespace, matches: isOwn }).items as readonly StoredRevision[];
}

/** The selector of an owner, for {@link Controller.follows}. */
export function selectorOf(owner: KubernetesObject): LabelSelector | undefined {
  return (owner as { spec?: { selector?: LabelSelector } }).spec?.selector;
}
