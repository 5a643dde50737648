import { type PodCgroupAmounts, podCgroupAmounts } from "../../kube/cgroup-amounts.ts";
import { type ContainerResources, isSameResources, resizableContainers } from "../../kube/pod-allocation.ts";
import { amountsOf } from "../../kube/pod-resources.ts";
import type { Container, StoredPod } from "../../kube/types.ts";
import type { ContainerRecord } from "../../runtime/types.ts";
import { latestInstance } from "../instances.ts";
import type { ResizePlan, ResizeStep } from "./resize-types.ts";

/** What is known of a pod's cgroups when its resize is planned. */
export interface ResizeObservation {
  readonly records: readonly ContainerRecord[];
  /** The pod's own cgroup, and what it was last given. */
  readonly cgroup: string;
  readonly applied: PodCgroupAmounts;
  /** Bytes of memory in use in a cgroup. */
  readonly memoryInUse: (cgroup: string) => number | undefined;
}

type Resource = "memory" | "cpu";

/** A live container that has not got what it was granted. */
interface Difference {
  readonly container: Container;
  readonly record: ContainerRecord;
}

/**
 * Plans how a pod gets what it was granted (`pod` says just that) without a restart where its containers allow it,
 * as the kubelet's doPodResizeAction does: memory, then CPU; for each, the pod's cgroup grows first and shrinks
 * last, and containers that give something back come before those that take. No memory limit goes below what is in
 * use. The pod's cgroup shrinks only when no container holds the old amounts any more. Empty when all is as it
 * should be. Pure.
 */
export function planResize(pod: StoredPod, observed: ResizeObservation): ResizePlan {
  const differences = resizableContainers(pod.spec).flatMap((container): Difference[] => {
    const record = latestInstance(observed.records, container.name);
    if (record === undefined || record.phase === "Exited") return [];
    return isSameResources(container.resources, record.resources) ? [] : [{ container, record }];
  });
  const restarting = differences.filter(needsRestart);
  const live = differences.filter((difference) => !needsRestart(difference));
  const wanted = podCgroupAmounts(pod);
  const maySettle = restarting.length === 0;
  const restart = new Set(restarting.map(({ record }) => record.id));
  const problem = memoryProblem(live, maySettle ? wanted.memoryLimit : undefined, observed);
  if (problem !== undefined) return { steps: [], restart, problem };

  const steps: ResizeStep[] = [];
  const given = new Map(live.map(({ record }) => [record.id, record.resources]));
  for (const resource of ["memory", "cpu"] as const) {
    const { grow, shrink } = podChanges(resource, observed.applied, wanted);
    if (grow !== undefined) steps.push({ kind: "pod", amounts: grow });
    for (const { container, record } of inOrder(live, resource)) {
      const before = given.get(record.id) ?? {};
      const resources = withResource(before, container.resources ?? {}, resource);
      given.set(record.id, resources);
      steps.push({ kind: "container", record, resources });
    }
    if (maySettle && shrink !== undefined) steps.push({ kind: "pod", amounts: shrink });
  }
  return { steps, restart, problem: undefined };
}

/** A process that has not begun yet gets its amounts like any live cgroup. */
function needsRestart({ container, record }: Difference): boolean {
  if (record.phase !== "Running") return false;
  return (["cpu", "memory"] as const).some(
    (resource) =>
      !isSameResources(container.resources, record.resources, [resource]) &&
      container.resizePolicy?.some(
        ({ resourceName, restartPolicy }) =>
          resourceName === resource && restartPolicy === "RestartContainer",
      ),
  );
}

/** The containers whose amounts of this resource change, those first that give back. */
function inOrder(differences: readonly Difference[], resource: Resource): Difference[] {
  const changed = differences.filter(
    ({ container, record }) => !isSameResources(container.resources, record.resources, [resource]),
  );
  const gives = ({ container, record }: Difference) => {
    const [after, before] = [limitOf(container.resources, resource), limitOf(record.resources, resource)];
    return before === undefined ? after !== undefined : after !== undefined && after < before;
  };
  return [...changed.filter(gives), ...changed.filter((difference) => !gives(difference))];
}

function podChanges(
  resource: Resource,
  applied: PodCgroupAmounts,
  wanted: PodCgroupAmounts,
): { grow: Partial<PodCgroupAmounts> | undefined; shrink: Partial<PodCgroupAmounts> | undefined } {
  const fields = resource === "memory" ? (["memoryLimit"] as const) : (["cpuQuota", "cpuShares"] as const);
  const changes = (isWanted: (before: number, after: number) => boolean) => {
    const entries = fields.flatMap((field) => {
      const after = wanted[field];
      const before = applied[field] ?? Number.POSITIVE_INFINITY;
      return after !== undefined && isWanted(before, after) ? [[field, after] as const] : [];
    });
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  };
  return {
    grow: changes((before, after) => after > before),
    shrink: changes((before, after) => after < before),
  };
}

function memoryProblem(
  live: readonly Difference[],
  podLimit: number | undefined,
  { applied, cgroup, memoryInUse }: ResizeObservation,
): string | undefined {
  const problems = live.flatMap(({ container, record }) => {
    const limit = limitOf(container.resources, "memory");
    const before = limitOf(record.resources, "memory");
    if (limit === undefined || (before !== undefined && limit >= before)) return [];
    const used = memoryInUse(record.cgroup);
    if (used === undefined || used <= Number(limit)) return [];
    return `attempting to set container ${JSON.stringify(container.name)} memory limit (${limit}) below current usage (${used})`;
  });
  if (podLimit !== undefined && podLimit < (applied.memoryLimit ?? Number.POSITIVE_INFINITY)) {
    const used = memoryInUse(cgroup);
    if (used !== undefined && used > podLimit) {
      problems.unshift(`attempting to set pod memory limit (${podLimit}) below current usage (${used})`);
    }
  }
  if (problems.length === 0) return undefined;
  const list = problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`;
  return `cannot decrease memory limits: ${list}`;
}

function limitOf(resources: ContainerResources | undefined, resource: Resource): bigint | undefined {
  return amountsOf(resources?.limits).get(resource);
}

/** `before` with the amounts of one resource taken from `after`. */
function withResource(
  before: ContainerResources,
  after: ContainerResources,
  resource: Resource,
): ContainerResources {
  const result: ContainerResources = {};
  for (const list of ["limits", "requests"] as const) {
    const others = Object.entries(before[list] ?? {}).filter(([name]) => name !== resource);
    const own = Object.entries(after[list] ?? {}).filter(([name]) => name === resource);
    const entries = [...others, ...own].sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length > 0) result[list] = Object.fromEntries(entries);
  }
  return result;
}
