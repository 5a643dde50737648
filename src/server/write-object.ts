import { PeapodError } from "../base/errors.ts";
import type { KubernetesObject } from "../kube/types.ts";
import { admit, isDryRun } from "./admission.ts";
import type { TrackedPart } from "./apply/track.ts";
import { recordManagers } from "./field-manager.ts";
import { checkKind, sentMetadata } from "./http/body.ts";
import { checkPolicies } from "./policies/check-policies.ts";
import type { ApiAnswer, ApiRequest } from "./request.ts";
import { apiVersionOf, objectKey } from "./resource.ts";

/** Notes in the object's new state who set its fields. */
type RecordManagers = (before: KubernetesObject, after: KubernetesObject) => void;

/**
 * Replaces the named object by what `propose` makes of its present state, in one step. The proposal is checked as
 * a client's PUT is: same kind and name, same uid, resourceVersion (where given) the current one; then admitted
 * and compared for changes that are not allowed. The other part of the object stays as it is; who set what is noted
 * by `record`.
 */
export function writeObject(
  request: ApiRequest,
  part: TrackedPart,
  propose: (current: KubernetesObject) => unknown,
  record: RecordManagers = (before, after) => recordManagers(request, part, before, after),
): ApiAnswer {
  const { resource, context, namespace, name } = request;
  const key = objectKey(resource, namespace, name);
  let warnings: string[] = [];
  const change = (current: KubernetesObject): KubernetesObject => {
    const proposal = checkKind(request, propose(structuredClone(current)), apiVersionOf(resource));
    checkIdentity(request, proposal, current);
    if (part === "status") {
      const written = withStatus(current, proposal);
      record(current, written);
      return written;
    }
    const admitted = admit(request, proposal, resource.admitUpdate ?? resource.admit);
    warnings = admitted.warnings;
    const next = withSpec(current, admitted.object);
    resource.checkUpdate?.(next, current, context);
    resource.authorizeWrite?.(next, request);
    checkPolicies(request, next, current);
    record(current, next);
    return next;
  };
  if (isDryRun(request.query.getAll("dryRun"))) return { object: change(context.store.get(key)), warnings };

  const stored = context.store.update(key, change);
  // The last finalizer of an object that was only waiting for it is gone: so is the object.
  const { deletionGracePeriodSeconds, finalizers } = stored.metadata;
  if (deletionGracePeriodSeconds === 0 && (finalizers ?? []).length === 0) {
    context.store.delete(key);
    resource.afterDelete?.(stored, context);
  }
  return { object: stored, warnings };
}

/** The new object, but status and the marks of deletion as they are. */
function withSpec(current: KubernetesObject, next: KubernetesObject): KubernetesObject {
  const { deletionTimestamp, deletionGracePeriodSeconds } = current.metadata;
  return {
    ...next,
    // The store keeps no undefined fields.
    metadata: {
      ...next.metadata,
      deletionTimestamp,
      deletionGracePeriodSeconds,
    } as KubernetesObject["metadata"],
    status: current.status,
  };
}

/** The present object with the proposal's status, and its labels and annotations, which `/status` may change too. */
function withStatus(current: KubernetesObject, proposal: Record<string, unknown>): KubernetesObject {
  const { labels, annotations, resourceVersion } = sentMetadata(proposal) as Partial<
    KubernetesObject["metadata"]
  >;
  const metadata = { ...current.metadata, ...defined({ labels, annotations }) };
  // An absent version means that the writer does not mind what came in between.
  metadata.resourceVersion = resourceVersion || current.metadata.resourceVersion;
  return { ...current, metadata, ...defined({ status: proposal.status }) };
}

function checkIdentity(
  request: ApiRequest,
  proposal: Record<string, unknown>,
  current: KubernetesObject,
): void {
  const metadata = sentMetadata(proposal);
  const { name, namespace } = request;
  if (metadata.name !== undefined && metadata.name !== name) {
    throw new PeapodError(
      "BadRequest",
      `the name of the object (${String(metadata.name)}) does not match the name on the URL (${name})`,
    );
  }
  if (metadata.namespace !== undefined && metadata.namespace !== "" && metadata.namespace !== namespace) {
    throw new PeapodError(
      "BadRequest",
      `the namespace of the object (${String(metadata.namespace)}) does not match the namespace on the URL (${namespace})`,
    );
  }
  metadata.name ??= name;
  if (request.resource.namespaced) metadata.namespace = namespace;
  proposal.metadata = metadata;
  if (metadata.resourceVersion === "") delete metadata.resourceVersion;
  if (metadata.uid !== undefined && metadata.uid !== "" && metadata.uid !== current.metadata.uid) {
    throw preconditionFailed(request, "UID", String(metadata.uid), current.metadata.uid);
  }
}

/** 409: the object is not the one that the caller means. */
export function preconditionFailed(
  request: Pick<ApiRequest, "resource" | "name">,
  field: "UID" | "ResourceVersion",
  asked: string,
  actual: string,
): PeapodError {
  const { resource, name } = request;
  return new PeapodError(
    "Conflict",
    `Operation cannot be fulfilled on ${resource.plural} ${JSON.stringify(name)}: Precondition failed: ${field} in precondition: ${asked}, ${field} in object meta: ${actual}`,
    { details: { name, group: resource.group, kind: resource.plural } },
  );
}

/** The entries that have a value. */
function defined<T extends object>(entries: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as never;
}
