import type { Container, PodSpec } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import type { PlanDraft } from "./plan-draft.ts";
import type { PodObservation } from "./plan-types.ts";
import { isSidecar, restartsAfter } from "./restart-rules.ts";

/** How far a pod's initialization is: through, under way, or failed for good. */
type Initialization = "done" | "waiting" | "failed";

/**
 * Plans the init containers: one after the other, each when the one before has succeeded or, for a sidecar, has
 * started; and sidecars that have ended once more. What lies before the furthest container that was made in this
 * sandbox has done its part already
 * (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/). Pure but for the draft it writes to.
 */
export function planInitContainers(
  spec: PodSpec,
  observed: PodObservation,
  draft: PlanDraft,
): Initialization {
  const containers = spec.initContainers ?? [];
  const appStarted = spec.containers.some((container) => draft.current(container) !== undefined);
  const reached = appStarted ? containers.length : containers.findLastIndex((one) => draft.current(one));
  for (const [index, container] of containers.entries()) {
    const record = draft.current(container);
    if (index < reached) {
      if (isSidecar(container)) keepRunning(container, record, draft);
      continue;
    }
    const step = isSidecar(container)
      ? startSidecar(container, record, observed, draft)
      : runToCompletion(spec, container, record, draft);
    if (step !== "done") return step;
  }
  return "done";
}

function keepRunning(container: Container, record: ContainerRecord | undefined, draft: PlanDraft): void {
  if (record === undefined || record.phase === "Exited") {
    const because = record === undefined ? "sidecar is missing" : `sidecar ended with ${record.exitCode}`;
    draft.start(container, "sidecar", because);
  } else if (record.phase === "Running") {
    draft.stopIfNeeded(container, record, true, "Init container");
  }
}

function startSidecar(
  container: Container,
  record: ContainerRecord | undefined,
  observed: PodObservation,
  draft: PlanDraft,
): Initialization {
  keepRunning(container, record, draft);
  const isBeingStarted = observed.starting.has(container.name);
  return record !== undefined && observed.started.has(record.id) && !isBeingStarted ? "done" : "waiting";
}

function runToCompletion(
  spec: PodSpec,
  container: Container,
  record: ContainerRecord | undefined,
  draft: PlanDraft,
): Initialization {
  if (record === undefined) {
    draft.start(container, "init", "init container has not run yet");
    return "waiting";
  }
  if (record.phase !== "Exited") return "waiting";
  if (record.exitCode === 0) return "done";
  if (!restartsAfter(spec, container, record.exitCode ?? 137)) return "failed";
  draft.start(container, "init", `init container failed with exit code ${record.exitCode}`);
  return "waiting";
}
