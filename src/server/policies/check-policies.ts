import type { ILimitRange } from "kubernetes-models/v1/LimitRange";
import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject, PersistentVolumeClaim, Pod } from "../../kube/types.ts";
import { invalidObject } from "../admission.ts";
import type { ApiContext, ApiRequest } from "../request.ts";
import { resourceName } from "../resource.ts";
import { applyLimitDefaults, claimLimitProblems, podLimitProblems } from "./limit-range.ts";
import { resolvePriority } from "./priority.ts";
import { quotaProblem } from "./quota.ts";

/**
 * Gives a new pod its priority and the requests and limits that it lacks, in place, as the API server's admission
 * plugins Priority and LimitRanger do; leaves other objects as they are. Throws Forbidden for a priority that can't be.
 */
export function applyPolicies(request: ApiRequest, object: KubernetesObject): void {
  const { context, resource } = request;
  if (resourceName(resource) !== "pods") return;
  const pod = object as unknown as Pod;
  refuse(request, object, resolvePriority(pod, context));
  if (applyLimitDefaults(pod, rangesOf(context, object))) revalidate(request, object);
}

/**
 * Refuses (Forbidden) a new object, complete as it will be stored, that goes beyond a LimitRange or a ResourceQuota of
 * its namespace.
 */
export function checkNewObject(request: ApiRequest, object: KubernetesObject): void {
  checkLimits(request, object);
  checkQuota(request, object, undefined);
}

/** Refuses (Forbidden) the new state of an object that goes beyond a LimitRange or a ResourceQuota. */
export function checkPolicies(request: ApiRequest, next: KubernetesObject, current: KubernetesObject): void {
  if (resourceName(request.resource) === "persistentvolumeclaims") checkLimits(request, next);
  checkQuota(request, next, current);
}

/** Refuses (Forbidden) a pod or claim that goes beyond a LimitRange of its namespace. */
export function checkLimits(request: ApiRequest, object: KubernetesObject): void {
  const name = resourceName(request.resource);
  if (name !== "pods" && name !== "persistentvolumeclaims") return;
  const ranges = rangesOf(request.context, object);
  const problems =
    name === "pods"
      ? podLimitProblems(object as unknown as Pod, ranges)
      : claimLimitProblems(object as unknown as PersistentVolumeClaim, ranges);
  if (problems.length === 0) return;
  refuse(request, object, problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`);
}

function checkQuota(
  request: ApiRequest,
  next: KubernetesObject,
  current: KubernetesObject | undefined,
): void {
  if (!request.resource.namespaced) return;
  refuse(request, next, quotaProblem(resourceName(request.resource), next, current, request.context));
}

function rangesOf({ store }: ApiContext, { metadata }: KubernetesObject): readonly ILimitRange[] {
  return store.list("limitranges", { namespace: metadata.namespace ?? "" }).items as unknown as ILimitRange[];
}

/** A default limit may lie below what the container requests. */
function revalidate({ resource }: ApiRequest, object: KubernetesObject): void {
  const problems = resource.admit?.(structuredClone(object)).problems ?? [];
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw invalidObject(resource, object.metadata.name, errors);
}

function refuse({ resource }: ApiRequest, { metadata }: KubernetesObject, why: string | undefined): void {
  if (why === undefined) return;
  const { name } = metadata;
  const what = `${resourceName(resource)} ${JSON.stringify(name)}`;
  throw new PeapodError("Forbidden", `${what} is forbidden: ${why}`, {
    details: { name, group: resource.group, kind: resource.plural },
  });
}
