import { kubernetesTime } from "../../base/clock.ts";
import type { Container, ContainerState, ContainerStatus } from "../../kube/types.ts";
import type { ContainerRecord } from "../../runtime/types.ts";
import { instancesOf } from "../instances.ts";

/** Why a container is not running, in the kubelet's words. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/** What a container's status is made of. */
export interface ContainerStatusParts {
  readonly container: Container;
  readonly kind: "init" | "app";
  /** All records of the pod. */
  readonly records: readonly ContainerRecord[];
  /** Overrides the last instance's state while a next one is awaited (CrashLoopBackOff, ErrImagePull …). */
  readonly waiting: Waiting | undefined;
  /** Shown while the container has no instance yet. */
  readonly initial: Waiting;
}

/** Prefix of containerID and imageID, as `containerd://` is containerd's. */
export const runtimeScheme = "peapod";

/** A v1.ContainerStatus as the kubelet writes it. Pure. */
export function containerStatus(parts: ContainerStatusParts): ContainerStatus {
  const { container, kind, waiting, initial } = parts;
  const [latest, previous] = instancesOf(parts.records, container.name);
  const base = { name: container.name, image: container.image ?? "", imageID: "", restartCount: 0 };
  if (latest === undefined) {
    return {
      ...base,
      lastState: {},
      ready: false,
      started: false,
      state: { waiting: { ...(waiting ?? initial) } },
    };
  }

  const state = recordState(latest);
  const held = waiting !== undefined && latest.phase === "Exited";
  const last = held ? state : previous === undefined ? {} : recordState(previous);
  const running = !held && latest.phase === "Running";
  const succeeded = !held && latest.phase === "Exited" && latest.exitCode === 0;
  return {
    ...base,
    imageID: latest.imageDigest,
    containerID: `${runtimeScheme}://${latest.id}`,
    restartCount: latest.attempt,
    // An init container is ready once it has done its work; an app container while it runs (no probe yet).
    ready: kind === "init" ? succeeded : running,
    started: running,
    state: held ? { waiting: { ...waiting } } : state,
    lastState: last,
  };
}

function recordState(record: ContainerRecord): ContainerState {
  if (record.phase === "Running") {
    return { running: record.startedAt === undefined ? {} : { startedAt: kubernetesTime(record.startedAt) } };
  }
  if (record.phase === "Created") return { waiting: { reason: "ContainerCreating" } };
  const exitCode = record.exitCode ?? 137;
  return {
    terminated: {
      containerID: `${runtimeScheme}://${record.id}`,
      exitCode,
      reason: record.reason ?? (exitCode === 0 ? "Completed" : "Error"),
      ...(record.message === undefined ? {} : { message: record.message }),
      startedAt: kubernetesTime(record.startedAt ?? record.createdAt),
      finishedAt: kubernetesTime(record.finishedAt ?? record.createdAt),
    },
  };
}
