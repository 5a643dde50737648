import type { Container, ContainerStatus, PodCondition, PodSpec } from "../../kube/types.ts";
import type { ResizeState } from "../resize/resize-types.ts";
import { isSidecar } from "../restart-rules.ts";
import type { PodPhase } from "./phase.ts";

interface ConditionParts {
  readonly spec: PodSpec;
  readonly phase: PodPhase;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  readonly sandboxReady: boolean;
  readonly previous: readonly PodCondition[];
  /** metadata.generation of the pod that the conditions tell of. */
  readonly generation: number;
  readonly resize: ResizeState | undefined;
  /** metadata.generation of the resources that were granted last. */
  readonly allocatedGeneration: number;
  /** metav1.Time of now. */
  readonly now: string;
}

/**
 * The pod's conditions with the kubelet's reasons; a condition keeps its lastTransitionTime while its status
 * stays, and those that others set (readiness gates) stay as they are
 * (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions). Pure.
 */
export function podConditions(parts: ConditionParts): PodCondition[] {
  const containersReady = readiness(parts);
  const fresh: Omit<PodCondition, "lastTransitionTime">[] = [
    ...resizeConditions(parts),
    { type: "PodReadyToStartContainers", status: parts.sandboxReady ? "True" : "False" },
    { type: "Initialized", ...initialization(parts) },
    { type: "Ready", ...(containersReady.status === "True" ? gates(parts) : containersReady) },
    { type: "ContainersReady", ...containersReady },
    { type: "PodScheduled", status: "True" },
  ];
  const own = new Set([...fresh.map((condition) => condition.type), ...resizeTypes]);
  const foreign = parts.previous.filter((condition) => !own.has(condition.type));
  return [
    ...fresh.map((condition) => {
      const before = parts.previous.find((candidate) => candidate.type === condition.type);
      const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
      return {
        observedGeneration: parts.generation,
        ...condition,
        lastProbeTime: null as unknown as string,
        lastTransitionTime: since ?? parts.now,
      };
    }),
    ...foreign,
  ];
}

const resizeTypes = ["PodResizePending", "PodResizeInProgress"];

/** There only while they are true: https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#pod-resize-status */
function resizeConditions({
  resize,
  allocatedGeneration,
}: ConditionParts): Omit<PodCondition, "lastTransitionTime">[] {
  const { pending, inProgress } = resize ?? {};
  const error = inProgress?.error;
  return [
    ...(pending === undefined ? [] : [{ type: "PodResizePending", status: "True", ...pending }]),
    ...(inProgress === undefined
      ? []
      : [
          {
            type: "PodResizeInProgress",
            status: "True",
            observedGeneration: allocatedGeneration,
            ...(error === undefined ? {} : { reason: "Error", message: error }),
          },
        ]),
  ];
}

type Verdict = Pick<PodCondition, "status" | "reason" | "message">;

/** Sidecars count as app containers do. */
function readiness({ phase, spec, initStatuses, statuses }: ConditionParts): Verdict {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const isReady = ({ name }: Container) =>
    [...initStatuses, ...statuses].find((status) => status.name === name)?.ready === true;
  const sidecars = (spec.initContainers ?? []).filter(isSidecar);
  const unready = [...sidecars, ...spec.containers].filter((container) => !isReady(container));
  if (unready.length === 0) return { status: "True" };
  const names = unready.map(({ name }) => name).join(" ");
  return {
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${names}]`,
  };
}

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate */
function gates({ spec, previous }: ConditionParts): Verdict {
  const problems = (spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = previous.find(({ type }) => type === conditionType);
    if (condition === undefined) {
      return `corresponding condition of pod readiness gate "${conditionType}" does not exist.`;
    }
    if (condition.status === "True") return [];
    return `the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`;
  });
  if (problems.length === 0) return { status: "True" };
  return { status: "False", reason: "ReadinessGatesNotReady", message: problems.join(", ") };
}

function initialization({ phase, spec, initStatuses, statuses }: ConditionParts): Verdict {
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  const appStarted = statuses.some((status) => status.containerID !== undefined);
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const incomplete = initStatuses
    .filter(({ name, ready, started }) => (sidecars.has(name) ? started !== true : !ready))
    .map(({ name }) => name);
  if (incomplete.length === 0 || appStarted) return { status: "True" };
  return {
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${incomplete.join(" ")}]`,
  };
}
