import { kubernetesTime } from "../base/clock.ts";

/** A condition in the status of a workload. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/**
 * The conditions with this one set: in its place, or at the end. `lastTransitionTime` is the time of the last change of its
 * status; one with the status and reason that it has already stays as it is.
 */
export function withCondition<T extends Condition>(
  conditions: readonly T[],
  condition: Omit<T, "lastTransitionTime">,
  now: number,
): readonly T[] {
  const current = conditions.find(({ type }) => type === condition.type);
  if (current?.status === condition.status && current.reason === condition.reason) return conditions;
  const lastTransitionTime =
    current?.status === condition.status ? current.lastTransitionTime : kubernetesTime(now);
  const next = { ...condition, lastTransitionTime } as T;
  return [...conditions.filter(({ type }) => type !== condition.type), next];
}

/** Whether the named condition holds. */
export function holds(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
}
