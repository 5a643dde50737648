import { isNotFound } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { decodeConfiguration, invalidObject } from "../admission.ts";
import { applyConfiguration } from "../apply/apply.ts";
import { type ManagedSet, type Manager, readManagers, withFields, writeManagers } from "../apply/managers.ts";
import { appliedFields } from "../apply/track.ts";
import { applyingManager, refuseManagedFields } from "../field-manager.ts";
import { checkKind, mediaType, sentMetadata } from "../http/body.ts";
import { decodeBody } from "../http/decode-body.ts";
import { applyMediaType, decodePatch } from "../patch/decode-patch.ts";
import { type ApiAnswer, type ApiRequest, flag } from "../request.ts";
import { apiVersionOf, objectKey, typeOf } from "../resource.ts";
import { writeObject } from "../write-object.ts";
import { createObject } from "./create.ts";

/** PATCH of one object: all but its status. */
export function patch(request: ApiRequest): ApiAnswer {
  if (mediaType(request.contentType) === applyMediaType) return applyObject(request);
  refuseForce(request);
  return writeObject(request, "object", decodePatch(request));
}

function refuseForce({ query }: ApiRequest): void {
  if (!flag(query, "force")) return;
  throw invalidObject({ kind: "PatchOptions", group: "meta.k8s.io" }, "", [
    {
      field: "force",
      reason: "FieldValueForbidden",
      message: "Forbidden: may not be specified for non-apply patch",
    },
  ]);
}

/**
 * Server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/): makes the object where it is
 * not there.
 */
function applyObject(request: ApiRequest): ApiAnswer {
  return apply(request, applyingManager(request), (configuration) => configuration);
}

/**
 * The same through a subresource that writes a part of the object: `restrict` takes all else from the configuration,
 * and what it sets belongs to the manager as a writer of that subresource. NotFound when there is no such object.
 */
export function applyToSubresource(
  request: ApiRequest,
  subresource: string,
  restrict: (configuration: KubernetesObject) => KubernetesObject,
): ApiAnswer {
  const { resource, namespace, name, context } = request;
  context.store.get(objectKey(resource, namespace, name));
  return apply(request, { ...applyingManager(request), subresource }, restrict);
}

function apply(
  request: ApiRequest,
  by: Manager,
  restrict: (configuration: KubernetesObject) => KubernetesObject,
): ApiAnswer {
  const { resource, namespace, name, query, scope } = request;
  const sent = checkKind(
    request,
    decodeBody({ ...request, contentType: "application/yaml" }),
    apiVersionOf(resource),
  );
  const metadata = { ...sentMetadata(sent), name, ...(resource.namespaced ? { namespace } : {}) };
  refuseManagedFields(metadata as { managedFields?: unknown });
  const { object, warnings } = decodeConfiguration(request, { ...sent, metadata });
  const configuration = restrict(object);
  const now = scope.clock.now();
  if (!exists(request)) {
    return createObject(request, { ...sent, metadata }, (object) => {
      // Nothing but the configuration is there yet; defaults belong to nobody.
      const fields = appliedFields(typeOf(resource), configuration);
      object.metadata.managedFields = writeManagers(withFields([], by, fields, true, now));
    });
  }
  let managers: readonly ManagedSet[] = [];
  const { uid, resourceVersion } = metadata as { uid?: string; resourceVersion?: string };
  const answer = writeObject(
    request,
    "object",
    (live) => {
      const applied = applyConfiguration(live, configuration, {
        type: typeOf(resource),
        by,
        managers: readManagers(live),
        force: flag(query, "force"),
        now,
      });
      managers = applied.managers;
      if (uid) applied.object.metadata.uid = uid;
      if (resourceVersion) applied.object.metadata.resourceVersion = resourceVersion;
      return applied.object;
    },
    (_before, after) => {
      after.metadata.managedFields = writeManagers(managers);
    },
  );
  return "object" in answer ? { ...answer, warnings: [...warnings, ...(answer.warnings ?? [])] } : answer;

  function exists({ context: { store } }: ApiRequest): boolean {
    try {
      store.get(objectKey(resource, namespace, name));
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
}
