import { kubernetesTime } from "../base/clock.ts";
import { PeapodError } from "../base/errors.ts";
import type { KubernetesObject } from "../kube/types.ts";
import { invalidObject, isDryRun } from "./admission.ts";
import { isJSONObject, type JSONObject } from "./http/body.ts";
import { decodeBody } from "./http/decode-body.ts";
import { wholeNumber } from "./list-options.ts";
import type { ApiRequest } from "./request.ts";
import { type DeleteOptions, objectKey, type PropagationPolicy } from "./resource.ts";
import { preconditionFailed } from "./write-object.ts";

/**
 * Asks for an object's end: removes it at once, or marks it and leaves the rest to whoever it waits for (a pod for
 * the node agent, an object with finalizers for their owners). Preconditions first; returns the last state.
 */
export function deleteObject(
  request: Pick<ApiRequest, "context" | "resource" | "namespace" | "name">,
  options: DeleteOptions,
  dryRun: boolean,
): KubernetesObject {
  const { context, resource, namespace, name } = request;
  const key = objectKey(resource, namespace, name);
  const current = context.store.get(key);
  const { uid, resourceVersion } = options.preconditions ?? {};
  if (uid !== undefined && uid !== current.metadata.uid) {
    throw preconditionFailed(request, "UID", uid, current.metadata.uid);
  }
  if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
    throw preconditionFailed(request, "ResourceVersion", resourceVersion, current.metadata.resourceVersion);
  }

  const now = context.scope.clock.now();
  const object = withPropagation(current, options.propagationPolicy);
  const waiting =
    resource.awaitDeletion === undefined
      ? awaitFinalizers(object, now)
      : (resource.awaitDeletion(object, options, now) ?? awaitFinalizers(object, now));
  if (dryRun) return waiting ?? current;
  // Nothing was awaited since `get`, so the object is still the one that was looked at.
  if (waiting !== undefined) return context.store.update(key, () => waiting);
  const deleted = context.store.delete(key);
  resource.afterDelete?.(deleted, context);
  return deleted;
}

/** Finalizers by which an object waits until the garbage collector has seen to what it owns. */
export const orphanFinalizer = "orphan";
export const foregroundFinalizer = "foregroundDeletion";

function withPropagation(current: KubernetesObject, policy: PropagationPolicy | undefined): KubernetesObject {
  const others = (current.metadata.finalizers ?? []).filter(
    (name) => policy === undefined || (name !== orphanFinalizer && name !== foregroundFinalizer),
  );
  const own = policy === "Orphan" ? [orphanFinalizer] : policy === "Foreground" ? [foregroundFinalizer] : [];
  const finalizers = [...others, ...own];
  const { finalizers: before, ...metadata } = current.metadata;
  if (before === undefined && finalizers.length === 0) return current;
  return { ...current, metadata: finalizers.length === 0 ? metadata : { ...metadata, finalizers } };
}

function awaitFinalizers(current: KubernetesObject, now: number): KubernetesObject | undefined {
  if ((current.metadata.finalizers ?? []).length === 0) return undefined;
  const deletionTimestamp = current.metadata.deletionTimestamp ?? kubernetesTime(now);
  return { ...current, metadata: { ...current.metadata, deletionTimestamp, deletionGracePeriodSeconds: 0 } };
}

/**
 * The request's DeleteOptions: its body, or where there is none its query
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/).
 */
export function deleteOptions(request: ApiRequest): DeleteOptions {
  const body = bodyOptions(request);
  if (body === undefined) {
    const seconds = wholeNumber(request.query, "gracePeriodSeconds", -(2 ** 31));
    return {
      ...(seconds === undefined ? {} : { gracePeriodSeconds: seconds }),
      ...propagation(request.query.get("propagationPolicy"), request.query.get("orphanDependents")),
    };
  }
  return readDeleteOptions(body);
}

/** The options that a DeleteOptions object says. */
export function readDeleteOptions(body: JSONObject): DeleteOptions {
  const { gracePeriodSeconds, preconditions } = body;
  if (
    gracePeriodSeconds !== undefined &&
    gracePeriodSeconds !== null &&
    !Number.isInteger(gracePeriodSeconds)
  ) {
    throw new PeapodError("BadRequest", "gracePeriodSeconds: Invalid value: must be an integer");
  }
  const { uid, resourceVersion } = isJSONObject(preconditions) ? preconditions : ({} as JSONObject);
  return {
    ...(typeof gracePeriodSeconds === "number" ? { gracePeriodSeconds } : {}),
    ...propagation(body.propagationPolicy, body.orphanDependents),
    preconditions: {
      ...(typeof uid === "string" ? { uid } : {}),
      ...(typeof resourceVersion === "string" ? { resourceVersion } : {}),
    },
  };
}

function propagation(policy: unknown, orphanDependents: unknown): Pick<DeleteOptions, "propagationPolicy"> {
  if (policy === undefined || policy === null || policy === "") {
    return String(orphanDependents) === "true" ? { propagationPolicy: "Orphan" } : {};
  }
  if (policy === "Background" || policy === "Foreground" || policy === "Orphan") {
    return { propagationPolicy: policy };
  }
  throw invalidObject({ kind: "DeleteOptions", group: "meta.k8s.io" }, "", [
    {
      field: "propagationPolicy",
      reason: "FieldValueNotSupported",
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan"`,
    },
  ]);
}

/** Whether body or query say `dryRun: All`. */
export function requestsDryRun(request: ApiRequest): boolean {
  const inBody = bodyOptions(request)?.dryRun;
  const values = Array.isArray(inBody) ? inBody.map(String) : request.query.getAll("dryRun");
  return isDryRun(values);
}

function bodyOptions(request: ApiRequest): JSONObject | undefined {
  if (request.body.byteLength === 0) return undefined;
  const value = decodeBody(request);
  if (isJSONObject(value)) return value;
  throw new PeapodError("BadRequest", "the object provided is unrecognized (must be of type DeleteOptions)");
}
