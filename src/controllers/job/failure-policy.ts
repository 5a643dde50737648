import type { StoredPod } from "../../kube/types.ts";
import type { StoredJob } from "./job.ts";

/** What a failed pod means for its Job, and for `FailJob` why. */
export type Verdict =
  | { readonly action: "Count" | "Ignore" | "FailIndex" }
  | { readonly action: "FailJob"; readonly message: string };

type Rule = NonNullable<NonNullable<StoredJob["spec"]["podFailurePolicy"]>["rules"]>[number];

/**
 * The first rule of `podFailurePolicy` that a failed pod fulfils
 * (https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy); without one it counts.
 */
export function judgeFailure({ spec }: StoredJob, pod: StoredPod): Verdict {
  const { namespace, name } = pod.metadata;
  for (const [index, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const why = fulfils(rule, pod);
    if (why === undefined) continue;
    if (rule.action !== "FailJob") return { action: rule.action };
    const message = `${why.replace("{pod}", `${namespace}/${name}`)} matching FailJob rule at index ${index}`;
    return { action: "FailJob", message };
  }
  return { action: "Count" };
}

function fulfils({ onExitCodes, onPodConditions }: Rule, { status }: StoredPod): string | undefined {
  if (onExitCodes !== undefined) {
    const { containerName, operator, values } = onExitCodes;
    const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
    for (const { name, state } of all) {
      const exitCode = state?.terminated?.exitCode;
      if (exitCode === undefined || exitCode === 0) continue;
      if (containerName !== undefined && containerName !== name) continue;
      if (values.includes(exitCode) === (operator === "In")) {
        return `Container ${name} for pod {pod} failed with exit code ${exitCode}`;
      }
    }
    return undefined;
  }
  for (const wanted of onPodConditions ?? []) {
    const found = status?.conditions?.find(({ type }) => type === wanted.type);
    if (found?.status === (wanted.status ?? "True")) return `Pod {pod} has condition ${wanted.type}`;
  }
  return undefined;
}
