import { explain } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { allocatedPod, allocationFor } from "../../kube/pod-allocation.ts";
import { type Amounts, podAmounts } from "../../kube/pod-resources.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { ContainerRecord, Sandbox } from "../../runtime/types.ts";
import type { AgentDependencies } from "../dependencies.ts";
import type { PodState } from "../pod-state.ts";
import { recordsOf } from "../status/publish.ts";
import { decideResize } from "./decide-resize.ts";
import { planResize } from "./plan-resize.ts";
import { resizeMessage } from "./resize-message.ts";
import type { ResizePending, ResizeStep } from "./resize-types.ts";

/** What one round did for a pod's resize. */
interface ResizeRound {
  /** Ids of containers that are to be restarted for it. */
  readonly restart: ReadonlySet<string>;
  /** When to try again, in milliseconds since the epoch; undefined when nothing failed. */
  readonly retryAt: number | undefined;
}

/**
 * Grants what the pod asks for where the node can, keeps that on disk, and carries it out as far as it goes now; tells
 * of it by events and in `state.resize`. A daemon that is killed anywhere in between takes it up again: every step may
 * be repeated, and is noted only when it is done.
 */
export async function resizePod(
  state: PodState,
  sandbox: Sandbox,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<ResizeRound> {
  const pending = grant(state, sandbox, dependencies, scope);
  const { runtime, events } = dependencies;
  const wasInProgress = isInProgress(state);
  const { allocated } = runtime.listSandboxes().find(isOf(state)) ?? sandbox;
  const granted = allocatedPod(state.pod, allocated);
  const { error, restart, isDone } = await carryOut(state, granted, dependencies, scope);
  // Told once: what is in use, and with it the words, changes all the time.
  if (error !== undefined && !isErrorTold(state)) {
    const message = resizeMessage("Pod resize error", granted.spec, allocated, error);
    events.record(state.pod, "Warning", "ResizeError", message, scope);
  }
  if (wasInProgress && isDone) {
    const message = resizeMessage("Pod resize completed", granted.spec, allocated);
    events.record(state.pod, "Normal", "ResizeCompleted", message, scope);
  }
  state.resize = { pending, inProgress: isDone ? undefined : error === undefined ? {} : { error } };
  if (error === undefined) return { restart, retryAt: undefined };
  const now = scope.clock.now();
  state.resizes.next("", now);
  return { restart, retryAt: state.resizes.retryAt("", now) };
}

function grant(
  state: PodState,
  sandbox: Sandbox,
  dependencies: AgentDependencies,
  scope: Scope,
): ResizePending | undefined {
  const { runtime, events, allocatable } = dependencies;
  const { pod } = state;
  const decision = decideResize(pod, sandbox.allocated, allocatable, () =>
    requestedByOthers(state, dependencies),
  );
  if (decision.kind === "allocate") {
    runtime.allocate(state.uid, decision.allocation);
    const message = resizeMessage("Pod resize started", pod.spec, decision.allocation);
    events.record(pod, "Normal", "ResizeStarted", message, scope);
    state.resize = { pending: undefined, inProgress: {} };
  }
  if (decision.kind !== "pending") return undefined;
  const { reason, message } = decision.pending;
  const told = state.resize === undefined ? pendingInStatus(pod) : state.resize.pending;
  if (told?.reason !== reason || told.message !== message) {
    const text = resizeMessage(`Pod resize ${reason}`, pod.spec, allocationFor(pod), message);
    events.record(pod, "Warning", `Resize${reason}`, text, scope);
  }
  return decision.pending;
}

/** A daemon that was started meanwhile knows only what the status says. */
function isInProgress({ resize, pod }: PodState): boolean {
  if (resize !== undefined) return resize.inProgress !== undefined;
  return pod.status?.conditions?.some(({ type }) => type === "PodResizeInProgress") ?? false;
}

function isErrorTold({ resize, pod }: PodState): boolean {
  if (resize !== undefined) return resize.inProgress?.error !== undefined;
  const condition = pod.status?.conditions?.find(({ type }) => type === "PodResizeInProgress");
  return condition?.reason === "Error";
}

function pendingInStatus(pod: StoredPod): { reason?: string; message?: string } | undefined {
  return pod.status?.conditions?.find(({ type }) => type === "PodResizePending");
}

async function carryOut(
  state: PodState,
  granted: StoredPod,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<{ error: string | undefined; restart: ReadonlySet<string>; isDone: boolean }> {
  const { runtime } = dependencies;
  const plan = () => {
    const sandbox = runtime.listSandboxes().find(isOf(state));
    if (sandbox === undefined) return { steps: [], restart: new Set<string>(), problem: undefined };
    const { cgroup, applied } = sandbox;
    const records: readonly ContainerRecord[] = recordsOf(state, dependencies);
    return planResize(granted, { records, cgroup, applied, memoryInUse: runtime.memoryInUse });
  };
  const { steps, restart, problem } = plan();
  if (problem !== undefined) return { error: problem, restart, isDone: false };
  try {
    for (const step of steps) await carryOutStep(state, step, dependencies, scope);
  } catch (error) {
    scope.signal.throwIfAborted();
    scope.log.warn({ error: explain(error) }, "pod not resized");
    return { error: explain(error), restart, isDone: false };
  }
  return { error: undefined, restart, isDone: restart.size === 0 && plan().steps.length === 0 };
}

async function carryOutStep(
  state: PodState,
  step: ResizeStep,
  { runtime }: AgentDependencies,
  scope: Scope,
): Promise<void> {
  if (step.kind === "pod") {
    scope.log.info({ amounts: step.amounts }, "resizing the pod's cgroup");
    runtime.resizeSandbox(state.uid, step.amounts);
    return;
  }
  const { record, resources } = step;
  scope.log.info({ container: record.name, resources }, "resizing container");
  try {
    await runtime.resizeContainer(record.id, resources, scope);
  } catch (error) {
    // One that has just ended gets its amounts when it starts again.
    const phase = runtime.getContainer(record.id)?.phase ?? "Exited";
    if (phase !== "Exited") throw error;
  }
}

function isOf({ uid }: PodState): (sandbox: Sandbox) => boolean {
  return ({ podUID }) => podUID === uid;
}

/** What all other pods of this node were granted together. */
function requestedByOthers({ uid, pod }: PodState, { store, runtime }: AgentDependencies): Amounts {
  const sandboxes = new Map(runtime.listSandboxes().map((sandbox) => [sandbox.podUID, sandbox]));
  const sum = new Map<string, bigint>();
  for (const item of store.list("pods").items) {
    const other = item as unknown as StoredPod;
    const hasEnded = ["Succeeded", "Failed"].includes(other.status?.phase ?? "");
    if (hasEnded || other.metadata.uid === uid || other.spec.nodeName !== pod.spec.nodeName) continue;
    const granted = allocatedPod(other, sandboxes.get(other.metadata.uid)?.allocated);
    for (const [name, amount] of podAmounts(granted.spec, "requests")) {
      sum.set(name, (sum.get(name) ?? 0n) + amount);
    }
  }
  return sum;
}
