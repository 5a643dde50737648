import { isPodReady } from "../../kube/pod-phase.ts";
import type { ContainerStatus, Pod } from "../../kube/types.ts";

/** How far one container has come. */
export interface ContainerProgress {
  readonly name: string;
  readonly stage: "waiting" | "running" | "ready" | "completed" | "failed";
  /** The reason of a waiting or failed container, as Kubernetes names it. */
  readonly detail: string;
}

/** How far a pod has come, as far as `up` is concerned. */
export type PodVerdict =
  | { readonly state: "pending" | "ready" | "succeeded" }
  | {
      readonly state: "failed";
      readonly reason: string;
      readonly message: string;
      readonly container?: string;
      /** Whether the container's log may say more. */
      readonly ran: boolean;
    };

/** Waiting reasons that trying again seldom heals: https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/. */
const hopelessReasons = new Set([
  "CrashLoopBackOff",
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "ImageInspectError",
  "RegistryUnavailable",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "PostStartHookError",
]);

/** The stages of all containers, init containers first, in the manifest's order. */
export function containerProgress(pod: Pod): ContainerProgress[] {
  const names = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(
    ({ name }) => name,
  );
  const statuses = new Map(allStatuses(pod).map((status) => [status.name, status]));
  return names.map((name) => ({ name, ...stageOf(statuses.get(name)) }));
}

/** Whether the pod is up, over, still on its way, or cannot get there as it is. */
export function podVerdict(pod: Pod): PodVerdict {
  const phase = pod.status?.phase;
  if (phase === "Succeeded") return { state: "succeeded" };
  const trouble = allStatuses(pod)
    .map(troubleOf)
    .find((found) => found !== undefined);
  if (phase === "Failed") {
    const reason = pod.status?.reason ?? trouble?.reason ?? "Failed";
    return {
      state: "failed",
      ran: false,
      ...trouble,
      reason,
      message: pod.status?.message ?? trouble?.message ?? "",
    };
  }
  const hopeless = allStatuses(pod).find(({ state }) => hopelessReasons.has(state?.waiting?.reason ?? ""));
  if (hopeless !== undefined) {
    const { reason = "", message = "" } = hopeless.state?.waiting ?? {};
    const ran = hopeless.lastState?.terminated !== undefined;
    return { state: "failed", container: hopeless.name, reason, message, ran };
  }
  return { state: isPodReady(pod) ? "ready" : "pending" };
}

function allStatuses(pod: Pod): ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

function stageOf(status: ContainerStatus | undefined): Omit<ContainerProgress, "name"> {
  const { terminated, running, waiting } = status?.state ?? {};
  if (terminated !== undefined) {
    return terminated.exitCode === 0
      ? { stage: "completed", detail: "" }
      : { stage: "failed", detail: `${terminated.reason ?? "Error"}, exit code ${terminated.exitCode}` };
  }
  if (running !== undefined) return { stage: status?.ready === true ? "ready" : "running", detail: "" };
  const reason = waiting?.reason ?? "Pending";
  return { stage: hopelessReasons.has(reason) ? "failed" : "waiting", detail: reason };
}

function troubleOf(status: ContainerStatus) {
  const terminated = status.state?.terminated;
  if (terminated === undefined || terminated.exitCode === 0) return undefined;
  const message = terminated.message ?? `exit code ${terminated.exitCode}`;
  return { container: status.name, reason: terminated.reason ?? "Error", message, ran: true };
}
