import { kubernetesTime } from "../../base/clock.ts";
import type { ContainerResources } from "../../kube/pod-allocation.ts";
import type { Container, ContainerState, ContainerStatus } from "../../kube/types.ts";
import type { ContainerRecord } from "../../runtime/types.ts";
import { instancesOf } from "../instances.ts";
import type { ContainerKind } from "../plan-types.ts";

/** Why a container is not running, in the kubelet's words. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/** What a container's status is made of. */
export interface ContainerStatusParts {
  readonly container: Container;
  readonly kind: ContainerKind;
  /** All records of the pod. */
  readonly records: readonly ContainerRecord[];
  /** What the node has granted it; undefined for an ephemeral container, which can ask for nothing. */
  readonly allocated: ContainerResources | undefined;
  /** What its probes say of a running instance. */
  readonly health: (record: ContainerRecord) => { readonly started: boolean; readonly ready: boolean };
  /** Its postStart hook has not returned: its newest instance is not shown yet. */
  readonly isInHook: boolean;
  /** Overrides the last instance's state while a next one is awaited (CrashLoopBackOff, ErrImagePull …). */
  readonly waiting: Waiting | undefined;
  /** Shown while the container has no instance yet. */
  readonly initial: Waiting;
  /** Set when its pod is being deleted: what was shown of the container last. */
  readonly last: ContainerStatus | undefined;
  /** Its pod has been terminated: there will be no instance of it. */
  readonly isOver: boolean;
  /** Bytes that a termination message may have. */
  readonly messageBytes: number;
}

/** Prefix of containerID and imageID, as `containerd://` is containerd's. */
const runtimeScheme = "peapod";

/** As the kubelet has it for a container of which it knows nothing when the pod is over. */
const neverRan = {
  exitCode: 137,
  reason: "ContainerStatusUnknown",
  message: "The container could not be located when the pod was terminated",
};

/** A v1.ContainerStatus as the kubelet writes it. Pure. */
export function containerStatus(parts: ContainerStatusParts): ContainerStatus {
  const { container, kind, waiting, initial, messageBytes } = parts;
  const [latest, previous] = instancesOf(parts.records, container.name).slice(parts.isInHook ? 1 : 0);
  const base = { name: container.name, image: container.image ?? "", imageID: "", restartCount: 0 };
  if (latest === undefined) {
    if (parts.last?.state?.terminated !== undefined) return parts.last;
    return {
      ...base,
      lastState: {},
      ready: false,
      ...(kind === "ephemeral" ? {} : { started: false }),
      state: parts.isOver ? { terminated: neverRan } : { waiting: { ...(waiting ?? initial) } },
      ...resourcesOf(parts, undefined),
    };
  }

  const state = recordState(latest, messageBytes);
  const isHeld = waiting !== undefined && latest.phase === "Exited";
  const last = isHeld ? state : previous === undefined ? {} : recordState(previous, messageBytes);
  const { started, ready } = isHeld ? { started: false, ready: false } : readiness(parts, latest);
  return {
    ...base,
    imageID: latest.imageDigest,
    containerID: containerID(latest),
    restartCount: latest.attempt,
    ready,
    ...(kind === "ephemeral" ? {} : { started }),
    state: isHeld ? { waiting: { ...waiting } } : state,
    lastState: last,
    ...resourcesOf(parts, latest),
  };
}

/** What was granted, and what a running instance has of it by now; another one will get all of it. */
function resourcesOf(
  { allocated }: ContainerStatusParts,
  latest: ContainerRecord | undefined,
): Pick<ContainerStatus, "allocatedResources" | "resources"> {
  if (allocated === undefined) return {};
  return {
    ...(allocated.requests === undefined ? {} : { allocatedResources: allocated.requests }),
    resources: latest?.phase === "Running" ? latest.resources : allocated,
  };
}

/** An instance's id as statuses have it. */
export function containerID({ id }: Pick<ContainerRecord, "id">): string {
  return `${runtimeScheme}://${id}`;
}

function readiness(
  { kind, health }: ContainerStatusParts,
  record: ContainerRecord,
): { started: boolean; ready: boolean } {
  const running = health(record);
  switch (kind) {
    // An init container is ready once it has done its work.
    case "init":
      return { started: running.started, ready: record.phase === "Exited" && record.exitCode === 0 };
    // Nobody waits for one.
    case "ephemeral":
      return { started: running.started, ready: false };
    default:
      return running;
  }
}

function recordState(record: ContainerRecord, messageBytes: number): ContainerState {
  if (record.phase === "Running") {
    return { running: record.startedAt === undefined ? {} : { startedAt: kubernetesTime(record.startedAt) } };
  }
  if (record.phase === "Created") return { waiting: { reason: "ContainerCreating" } };
  const exitCode = record.exitCode ?? 137;
  return {
    terminated: {
      containerID: containerID(record),
      exitCode,
      reason: record.reason ?? (exitCode === 0 ? "Completed" : "Error"),
      ...(record.message === undefined ? {} : { message: firstBytes(record.message, messageBytes) }),
      startedAt: kubernetesTime(record.startedAt ?? record.createdAt),
      finishedAt: kubernetesTime(record.finishedAt ?? record.createdAt),
    },
  };
}

function firstBytes(text: string, count: number): string {
  const bytes = Buffer.from(text);
  return bytes.length <= count ? text : bytes.toString("utf8", 0, count);
}
