import { randomUUID } from "node:crypto";
import { kubernetesTime } from "../../base/clock.ts";
import { isNotFound, PeapodError } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { admit, invalidObject, isDryRun } from "../admission.ts";
import { recordManagers } from "../field-manager.ts";
import { checkKind } from "../http/body.ts";
import { decodeBody } from "../http/decode-body.ts";
import { applyPolicies, checkNewObject } from "../policies/check-policies.ts";
import { randomSuffix } from "../random-suffix.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { apiVersionOf, objectKey, resourceName } from "../resource.ts";

/** POST to a collection. 201 with the stored object. */
export function create(request: ApiRequest): ApiAnswer {
  return createObject(request, decodeBody(request), (object) =>
    recordManagers(request, "object", undefined, object),
  );
}

/**
 * Admits and stores a new object, whatever the request's verb: an apply of one that is not there does so, too.
 * `record` notes in it who set its fields.
 */
export function createObject(
  request: ApiRequest,
  value: unknown,
  record: (object: KubernetesObject) => void,
): ApiAnswer {
  const { resource, context } = request;
  const sent = checkKind(request, value, apiVersionOf(resource));
  const admitted = admit(request, sent);
  const { object } = admitted;
  const warnings = [...admitted.warnings, ...(resource.notice === undefined ? [] : [resource.notice])];
  if (resource.namespaced) {
    inheritNamespace(request, object);
    requireNamespace(request, object.metadata.name);
  }
  ensureName(request, object);
  clearServerFields(object);
  if (resource.subresources.status !== undefined) delete object.status;
  applyPolicies(request, object);
  record(object);
  resource.prepareForCreate?.(object, context);
  checkNewObject(request, object);
  resource.authorizeWrite?.(object, request);

  if (isDryRun(request.query.getAll("dryRun")))
    return { object: rehearse(request, object), code: 201, warnings };
  const stored = context.store.create(resourceName(resource), {
    ...object,
    metadata: { ...object.metadata },
  });
  resource.afterCreate?.(stored, context);
  return { object: stored, code: 201, warnings };
}

/** The URL says the namespace; an object that says another one is refused. */
function inheritNamespace(request: ApiRequest, object: KubernetesObject): void {
  const { namespace } = object.metadata;
  if (namespace !== undefined && namespace !== "" && namespace !== request.namespace) {
    throw new PeapodError(
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
  object.metadata.namespace = request.namespace;
}

/** NotFound when the namespace is not there, Forbidden when it is on its way out. */
function requireNamespace(request: ApiRequest, name: string): void {
  const { context, resource, namespace } = request;
  const found = context.store.get({ resource: "namespaces", namespace: "", name: namespace });
  if (found.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw new PeapodError(
    "Forbidden",
    `${resourceName(resource)} ${JSON.stringify(name)} is forbidden: ${why}`,
    {
      details: {
        name,
        group: resource.group,
        kind: resource.plural,
        causes: [
          {
            reason: "NamespaceTerminating",
            message: `namespace ${namespace} is being terminated`,
            field: "metadata.namespace",
          },
        ],
      },
    },
  );
}

const longestGeneratedBase = 58;

function ensureName(request: ApiRequest, object: KubernetesObject): void {
  const { metadata } = object;
  if (metadata.name !== undefined && metadata.name !== "") return;
  if (metadata.generateName === undefined || metadata.generateName === "") {
    throw invalidObject(request.resource, "", [
      {
        field: "metadata.name",
        reason: "FieldValueRequired",
        message: "Required value: name or generateName is required",
      },
    ]);
  }
  const base = metadata.generateName.slice(0, longestGeneratedBase);
  do {
    metadata.name = base + randomSuffix();
  } while (isTaken(request, object.metadata.name));
}

function isTaken({ context, resource, namespace }: ApiRequest, name: string): boolean {
  try {
    context.store.get(objectKey(resource, resource.namespaced ? namespace : "", name));
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** What only the server sets is not taken from a client. */
function clearServerFields(object: KubernetesObject): void {
  const metadata: Partial<KubernetesObject["metadata"]> = object.metadata;
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== "") {
    throw new PeapodError("BadRequest", "resourceVersion should not be set on objects to be created");
  }
  delete metadata.resourceVersion;
  delete metadata.uid;
  delete metadata.creationTimestamp;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.generation;
  delete metadata.selfLink;
  delete metadata.managedFields;
}

/** What would be stored; AlreadyExists as in earnest. */
function rehearse(request: ApiRequest, object: KubernetesObject): KubernetesObject {
  const { context, resource } = request;
  const key = objectKey(resource, object.metadata.namespace ?? "", object.metadata.name);
  const taken = context.store.list(resourceName(resource), {
    matches: ({ metadata }) => metadata.name === key.name && (metadata.namespace ?? "") === key.namespace,
  });
  if (taken.items.length > 0) {
    throw new PeapodError("AlreadyExists", `${key.resource} ${JSON.stringify(key.name)} already exists`, {
      details: { name: key.name, group: resource.group, kind: resource.plural },
    });
  }
  const creationTimestamp = kubernetesTime(context.scope.clock.now());
  return { ...object, metadata: { ...object.metadata, uid: randomUUID(), creationTimestamp } };
}
