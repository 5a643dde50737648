import { isDeepStrictEqual } from "node:util";
import type { Container, KubernetesObject, StoredPod } from "../../kube/types.ts";
import { invalidObject } from "../admission.ts";
import { schedulingGateProblems } from "./pod-scheduling.ts";

/**
 * Refuses changes of a pod's spec that the API server refuses: only images, activeDeadlineSeconds (set or made
 * shorter), added tolerations, fewer scheduling gates and a negative grace period made 1 may change
 * (https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement).
 */
export function checkPodUpdate(nextObject: KubernetesObject, currentObject: KubernetesObject): void {
  const next = nextObject as unknown as StoredPod;
  const current = currentObject as unknown as StoredPod;
  keepPriority(next, current);
  const problems = [
    ...deadlineProblems(next, current),
    ...tolerationProblems(next, current),
    ...schedulingGateProblems(next, current),
  ];
  if (!isDeepStrictEqual(fixedPart(next, current), current.spec)) {
    problems.push({
      field: "spec",
      reason: "FieldValueForbidden",
      message:
        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
    });
  }
  if (problems.length > 0) throw invalidObject({ kind: "Pod", group: "" }, current.metadata.name, problems);
}

/** A writer that knows nothing of what was resolved when the pod was made leaves it as it is. */
function keepPriority(next: StoredPod, current: StoredPod): void {
  const { priority, preemptionPolicy } = current.spec;
  if (priority !== undefined) next.spec.priority ??= priority;
  if (preemptionPolicy !== undefined) next.spec.preemptionPolicy ??= preemptionPolicy;
}

/** The new spec with everything that may change put back. */
function fixedPart(next: StoredPod, current: StoredPod): StoredPod["spec"] {
  const spec = { ...next.spec };
  spec.containers = withImages(spec.containers, current.spec.containers);
  if (spec.initContainers !== undefined) {
    spec.initContainers = withImages(spec.initContainers, current.spec.initContainers ?? []);
  }
  putBack(spec, current.spec, "activeDeadlineSeconds");
  putBack(spec, current.spec, "tolerations");
  putBack(spec, current.spec, "schedulingGates");
  const grace = current.spec.terminationGracePeriodSeconds ?? 0;
  if (grace < 0 && spec.terminationGracePeriodSeconds === 1) spec.terminationGracePeriodSeconds = grace;
  return spec;
}

function putBack<K extends keyof StoredPod["spec"]>(
  spec: StoredPod["spec"],
  current: StoredPod["spec"],
  field: K,
): void {
  if (current[field] === undefined) delete spec[field];
  else spec[field] = current[field];
}

function withImages(next: readonly Container[], current: readonly Container[]): Container[] {
  return next.map((container, index) => {
    const { image, ...rest } = container;
    const before = current[index]?.image;
    if (image === undefined || image === "" || before === undefined) return container;
    return { ...rest, image: before };
  });
}

function deadlineProblems(next: StoredPod, current: StoredPod) {
  const before = current.spec.activeDeadlineSeconds;
  const after = next.spec.activeDeadlineSeconds;
  if (before === undefined || (after !== undefined && after <= before)) return [];
  const message =
    after === undefined
      ? "Invalid value: null: must not update from a positive integer to nil value"
      : `Invalid value: ${after}: must be less than or equal to previous value`;
  return [{ field: "spec.activeDeadlineSeconds", reason: "FieldValueInvalid", message }];
}

function tolerationProblems(next: StoredPod, current: StoredPod) {
  const after = next.spec.tolerations ?? [];
  const kept = (current.spec.tolerations ?? []).every((old) =>
    after.some((one) => isDeepStrictEqual(one, old)),
  );
  if (kept) return [];
  const message = "Forbidden: existing toleration can not be modified except its tolerationSeconds";
  return [{ field: "spec.tolerations", reason: "FieldValueForbidden", message }];
}
