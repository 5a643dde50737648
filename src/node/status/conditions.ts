import type { ContainerStatus, PodCondition, PodSpec } from "../../kube/types.ts";
import type { PodPhase } from "./phase.ts";

interface ConditionParts {
  readonly spec: PodSpec;
  readonly phase: PodPhase;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  readonly sandboxReady: boolean;
  readonly previous: readonly PodCondition[];
  /** metav1.Time of now. */
  readonly now: string;
}

/**
 * The pod's conditions with the kubelet's reasons; a condition keeps its lastTransitionTime while its status
 * stays (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions). Pure.
 */
export function podConditions(parts: ConditionParts): PodCondition[] {
  const containersReady = readiness(parts);
  const initialized = initialization(parts);
  const fresh: Omit<PodCondition, "lastTransitionTime">[] = [
    { type: "PodReadyToStartContainers", status: parts.sandboxReady ? "True" : "False" },
    { type: "Initialized", ...initialized },
    { type: "Ready", ...containersReady },
    { type: "ContainersReady", ...containersReady },
    { type: "PodScheduled", status: "True" },
  ];
  const own = new Set(fresh.map((condition) => condition.type));
  const foreign = parts.previous.filter((condition) => !own.has(condition.type));
  return [
    ...fresh.map((condition) => {
      const before = parts.previous.find((candidate) => candidate.type === condition.type);
      const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
      return {
        ...condition,
        lastProbeTime: null as unknown as string,
        lastTransitionTime: since ?? parts.now,
      };
    }),
    ...foreign,
  ];
}

type Verdict = Pick<PodCondition, "status" | "reason" | "message">;

function readiness({ phase, statuses, spec }: ConditionParts): Verdict {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const unready = spec.containers
    .map((container) => container.name)
    .filter((name) => statuses.find((status) => status.name === name)?.ready !== true);
  if (unready.length === 0) return { status: "True" };
  return {
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.join(" ")}]`,
  };
}

function initialization({ phase, initStatuses, statuses }: ConditionParts): Verdict {
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  const appStarted = statuses.some((status) => status.containerID !== undefined);
  const incomplete = initStatuses.filter((status) => !status.ready).map((status) => status.name);
  if (incomplete.length === 0 || appStarted) return { status: "True" };
  return {
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${incomplete.join(" ")}]`,
  };
}
