import { errorCode, explain } from "../base/errors.ts";
import { type Scope, withBindings, withSignal } from "../base/scope.ts";
import { findContainer } from "../kube/pod-containers.ts";
import { isEndedPhase } from "../kube/pod-phase.ts";
import type { StoredPod } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import { rejectionOf } from "./admission.ts";
import { refreshVolumes } from "./configuration/volume-contents.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { type PodEnvironment, prepareEnvironment } from "./environment.ts";
import { giveUpContainers } from "./give-up-containers.ts";
import { backOffPull, currentHolds, hold, waitingStates } from "./holds.ts";
import { instancesOf, latestInstance } from "./instances.ts";
import { planPod } from "./plan.ts";
import type { StartAction } from "./plan-types.ts";
import { podAddress } from "./pod-address.ts";
import type { PodState } from "./pod-state.ts";
import { grantedPod } from "./resize/granted-pod.ts";
import { resizePod } from "./resize/resize-pod.ts";
import { restartsAfter } from "./restart-rules.ts";
import { startContainer, startFailureReason, summary } from "./start-container.ts";
import type { Waiting } from "./status/container-status.ts";
import { publishStatus, recordsOf } from "./status/publish.ts";
import { stopContainers } from "./stop-containers.ts";
import { releaseResources } from "./terminate-pod.ts";

/** Asks for another sync of a pod, now or at a time (milliseconds since the epoch). */
export type Requeue = (podUID: string, at?: number) => void;

/** Instances of a container that are kept after it was restarted, for `logs --previous` (the kubelet keeps 1). */
const keptInstances = 2;

/**
 * One round for a pod that should run: makes its plan and carries it out. Starts are left running in the
 * background (a pull may take minutes) and ask for another round when they end, so a round is short and the
 * next change is seen at once.
 */
export async function syncPod(
  state: PodState,
  dependencies: AgentDependencies,
  requeue: Requeue,
  outerScope: Scope,
): Promise<void> {
  const scope = withSignal(outerScope, state.abort.signal);
  const { runtime, events } = dependencies;
  const { pod } = state;
  const now = scope.clock.now();
  const records = recordsOf(state, dependencies);

  if (isTerminal(state)) {
    await finish(state, dependencies, outerScope);
    return;
  }
  probe(state, records, dependencies, requeue, outerScope);

  if (records.length === 0 && state.environment === undefined && reject(state, dependencies, scope)) {
    await finish(state, dependencies, scope);
    return;
  }

  const sandbox = runtime.listSandboxes().find((candidate) => candidate.podUID === state.uid);
  if (sandbox !== undefined) state.environment ??= environmentOf(state, dependencies, scope);
  const resized = sandbox && (await resizePod(state, sandbox, dependencies, scope));
  if (resized?.retryAt !== undefined) requeue(state.uid, resized.retryAt);
  const granted = grantedPod(state, dependencies);
  keepVolumesFresh(state, granted, dependencies, requeue, scope);
  const plan = planPod(
    granted.spec,
    {
      sandboxCreatedAt: sandbox?.createdAt,
      startTime: pod.status?.startTime === undefined ? undefined : Date.parse(pod.status.startTime),
      records,
      starting: new Set(state.starting.keys()),
      holds: currentHolds(state, records, now),
      started: new Set(
        records.filter((record) => state.probes.health(pod, record).started).map(({ id }) => id),
      ),
      unhealthy: state.probes.unhealthy(),
      resized: resized?.restart ?? new Set(),
      restarting: state.restarting,
    },
    now,
  );

  if (plan.start.length > 0) {
    state.environment ??= environmentOf(state, dependencies, scope);
    const { environment } = state;
    for (const action of plan.start) {
      const task = start(state, action, environment, dependencies, scope).finally(() => {
        state.starting.delete(action.container.name);
        requeue(state.uid);
      });
      state.starting.set(action.container.name, task);
    }
  }
  giveUpContainers(state, plan.stop, dependencies, outerScope);
  state.waiting = waitingStates(state, plan);
  for (const [name, hold] of plan.holding) {
    if (hold.reason === "CrashLoopBackOff") {
      const message = `Back-off restarting failed container ${name} in pod ${pod.metadata.name}_${pod.metadata.namespace}(${state.uid})`;
      events.record(pod, "Warning", "BackOff", message, scope, name);
    }
  }
  if (plan.ended !== undefined) {
    state.ended = plan.ended;
    events.record(pod, "Normal", plan.ended.reason, plan.ended.message, scope);
  }
  await publishStatus(state, dependencies, scope);
  if (plan.finished !== undefined || plan.ended !== undefined) await finish(state, dependencies, outerScope);
  else if (plan.wakeAt !== undefined) requeue(state.uid, plan.wakeAt);
}

/** Has the pod's probes look at what runs now. */
function probe(
  state: PodState,
  records: readonly ContainerRecord[],
  dependencies: AgentDependencies,
  requeue: Requeue,
  scope: Scope,
): void {
  const { runtime, events } = dependencies;
  const surroundings = {
    runtime,
    events,
    podIP: () => podAddress(state, dependencies),
    pod: () => state.pod,
    onChange() {
      // No round is made for a pod that terminates, but its readiness is still told.
      if (state.phase === "terminating") publishStatus(state, dependencies, scope).catch(() => {});
      else requeue(state.uid);
    },
  };
  state.probes.sync(state.pod, records, state.inHook, surroundings, scope);
}

function isTerminal(state: PodState): boolean {
  const phase = state.pod.status?.phase;
  return state.finished || state.ended !== undefined || isEndedPhase(phase);
}

/** Whether the node will not run the pod; says why in an event and in its status then. */
function reject(state: PodState, dependencies: AgentDependencies, scope: Scope): boolean {
  const { runtime, store, admission } = dependencies;
  const admitted = new Set(runtime.listSandboxes().map(({ podUID }) => podUID));
  const others = (store.list("pods").items as unknown as readonly StoredPod[]).filter(
    ({ metadata: { uid } }) => uid !== state.uid && admitted.has(uid),
  );
  const rejection = rejectionOf(state.pod, others, admission);
  if (rejection === undefined) return false;
  const { reason, message } = rejection;
  dependencies.events.record(state.pod, "Warning", reason, message, scope);
  state.ended = { phase: "Failed", reason, message: `Pod was rejected: ${message}` };
  return true;
}

/** Gives back all that a pod which has run to its end still holds; its instances stay, for their logs. */
async function finish(state: PodState, dependencies: AgentDependencies, scope: Scope): Promise<void> {
  if (state.finished) return;
  state.finished = true;
  state.startsAbort.abort(new Error("the pod has ended"));
  state.probes.quiet();
  await Promise.allSettled(state.starting.values());
  const grace = state.ended?.gracePeriodSeconds ?? state.pod.spec.terminationGracePeriodSeconds ?? 30;
  try {
    await stopContainers(state, grace, dependencies, scope);
    state.probes.stop();
    await releaseResources(state.uid, dependencies, scope);
  } catch (error) {
    // The next round ends it again.
    state.finished = false;
    throw error;
  }
  state.environment = undefined;
  await publishStatus(state, dependencies, scope);
}

/** Takes changes of ConfigMaps, Secrets, tokens and of the pod itself into the volumes that show them. */
function keepVolumesFresh(
  state: PodState,
  granted: StoredPod,
  dependencies: AgentDependencies,
  requeue: Requeue,
  scope: Scope,
): void {
  if (state.environment === undefined) return;
  try {
    refreshVolumes(granted, dependencies, scope);
  } catch (error) {
    dependencies.events.record(state.pod, "Warning", "FailedMount", explain(error), scope);
  }
  const refreshAt = dependencies.tokens.nextRefresh(state.uid);
  if (refreshAt !== undefined) requeue(state.uid, refreshAt);
}

function environmentOf(
  state: PodState,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<PodEnvironment> {
  const environment = prepareEnvironment(state.pod, dependencies, scope);
  const failed = (error: unknown) => {
    if (state.environment === environment) state.environment = undefined;
    if (scope.signal.aborted) return;
    const reason = errorCode(error) ?? "FailedCreatePodSandBox";
    dependencies.events.record(state.pod, "Warning", reason, explain(error), scope);
  };
  environment.then(({ network }) => network.catch(failed), failed);
  return environment;
}

async function start(
  state: PodState,
  action: StartAction,
  environment: Promise<PodEnvironment>,
  dependencies: AgentDependencies,
  outerScope: Scope,
): Promise<void> {
  const { runtime, events } = dependencies;
  const { name } = action.container;
  const bound = withBindings(outerScope, { container: name, attempt: action.attempt });
  const scope = withSignal(bound, state.startsAbort.signal);
  scope.log.info({ because: action.because }, "starting container");
  const previous = latestInstance(recordsOf(state, dependencies), name);
  if (previous?.finishedAt !== undefined) state.restarts.next(name, previous.finishedAt);
  try {
    await startContainer(state, action, environment, dependencies, scope);
    state.holds.delete(name);
    state.imagesAtHand.delete(name);
    // Not before: until there is a new instance, the old one tells that there will be.
    if (previous !== undefined) state.restarting.delete(previous.id);
  } catch (error) {
    if (scope.signal.aborted) return;
    const reason = startFailureReason(error);
    scope.log.warn({ reason, error: explain(error) }, "container not started");
    if (reason === "PostStartHookError") {
      // Its instance has ended: the restart policy and its back-off say what comes then.
      await showWaiting(state, name, { reason, message: summary(error) }, dependencies, scope);
      return;
    }
    const environmentFailed = reason === "ContainerCreating";
    // What waits for a volume keeps its image; whatever else failed asks for it as its pull policy says.
    if (!environmentFailed) state.imagesAtHand.delete(name);
    if (!environmentFailed && errorCode(error) !== "ErrImagePull") {
      events.record(state.pod, "Warning", "Failed", `Error: ${summary(error)}`, scope, name);
    }
    hold(state, name, reason, summary(error), scope.clock.now());
    await publishStatus(state, dependencies, scope);
    if (reason === "ErrImagePull") backOffPull(state, name, summary(error));
    return;
  }
  try {
    for (const old of instancesOf(recordsOf(state, dependencies), name).slice(keptInstances)) {
      await runtime.removeContainer(old.id, scope);
      await dependencies.images.removeRootfs(old.id, scope);
      runtime.removeContainerLog(old);
    }
  } catch (error) {
    // Its next start tries again, and the pod's removal.
    if (!scope.signal.aborted) scope.log.warn({ error: explain(error) }, "old instance not removed");
  }
}

/** Shows a container that will be restarted as waiting, with the reason of its end. */
async function showWaiting(
  state: PodState,
  name: string,
  waiting: Waiting,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  const record = latestInstance(recordsOf(state, dependencies), name);
  const container = findContainer(state.pod.spec, name);
  if (container === undefined || !restartsAfter(state.pod.spec, container, record?.exitCode ?? 1)) return;
  state.waiting = new Map([...state.waiting, [name, waiting]]);
  await publishStatus(state, dependencies, scope);
}
