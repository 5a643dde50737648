import type { Container, PodSpec } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import { latestInstance } from "./instances.ts";
import { PlanDraft } from "./plan-draft.ts";
import { planInitContainers } from "./plan-init.ts";
import type { PodEnd, PodObservation, PodPlan } from "./plan-types.ts";
import { restartsAfter, restartsAfterKill } from "./restart-rules.ts";

/**
 * Decides what a pod needs next, as the kubelet's computePodActions does: a sandbox, the next init container,
 * sidecars and app containers that are missing or whose restart policy wants them back, an end for those that a
 * probe has given up (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/). Pure.
 */
export function planPod(spec: PodSpec, observed: PodObservation, now: number): PodPlan {
  const draft = new PlanDraft(observed, now);
  const deadline = deadlineOf(spec, observed);
  if (deadline !== undefined && deadline <= now) return draft.plan({ ended: deadlineExceeded });

  if (observed.sandboxCreatedAt === undefined) {
    const everStarted = spec.containers.some(({ name }) => latestInstance(observed.records, name));
    const finished = everStarted ? finishedPhase(spec, observed, 0) : undefined;
    if (finished !== undefined) return draft.plan({ finished });
    draft.createSandbox = true;
  }

  // Debugging must be possible before the pod is initialized.
  for (const container of spec.ephemeralContainers ?? []) {
    if (latestInstance(observed.records, container.name) === undefined) {
      draft.start(container, "ephemeral", "ephemeral container has not run yet");
    }
  }
  const initialization = planInitContainers(spec, observed, draft);
  if (initialization === "failed") return draft.plan({ finished: "Failed" });
  if (initialization === "done") {
    const finished = finishedPhase(spec, observed, draft.since);
    if (finished !== undefined) return draft.plan({ finished });
    planAppContainers(spec, observed, draft);
  }
  return draft.plan({ wakeAt: deadline });
}

function planAppContainers(spec: PodSpec, observed: PodObservation, draft: PlanDraft): void {
  // Containers start side by side, but one with a postStart hook keeps those after it waiting, as everywhere.
  let mustWait = false;
  for (const container of spec.containers) {
    const hasHook = container.lifecycle?.postStart !== undefined;
    if (observed.starting.has(container.name)) {
      mustWait ||= hasHook;
      continue;
    }
    const because = whyToStart(spec, container, observed);
    if (because !== undefined) {
      if (mustWait) continue;
      const starts = draft.start(container, "app", because);
      mustWait ||= starts && hasHook;
      continue;
    }
    const record = latestInstance(observed.records, container.name);
    if (record?.phase === "Running")
      draft.stopIfNeeded(container, record, restartsAfterKill(spec, container));
  }
}

function whyToStart(spec: PodSpec, container: Container, observed: PodObservation): string | undefined {
  const record = latestInstance(observed.records, container.name);
  if (record === undefined) return "container has not run yet";
  if (record.phase !== "Exited" || !comesBack(spec, container, record, observed)) return undefined;
  return `restart policy after exit code ${record.exitCode}`;
}

function comesBack(
  spec: PodSpec,
  container: Container,
  record: ContainerRecord,
  { restarting }: PodObservation,
): boolean {
  return restarting.has(record.id) || restartsAfter(spec, container, record.exitCode ?? 137);
}

/** Sidecars and ephemeral containers keep no pod alive. */
function finishedPhase(
  spec: PodSpec,
  observed: PodObservation,
  since: number,
): "Succeeded" | "Failed" | undefined {
  let failed = false;
  for (const container of spec.containers) {
    if (observed.starting.has(container.name)) return undefined;
    const record = latestInstance(observed.records, container.name);
    if (record?.phase !== "Exited" || comesBack(spec, container, record, observed)) return undefined;
    if (record.createdAt < since && restartsAfterKill(spec, container) && record.exitCode !== 0)
      return undefined;
    failed ||= record.exitCode !== 0;
  }
  return failed ? "Failed" : "Succeeded";
}

const deadlineExceeded: PodEnd = {
  phase: "Failed",
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline",
};

function deadlineOf({ activeDeadlineSeconds }: PodSpec, { startTime }: PodObservation): number | undefined {
  if (activeDeadlineSeconds === undefined || startTime === undefined) return undefined;
  return startTime + activeDeadlineSeconds * 1000;
}
