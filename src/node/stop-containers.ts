import { Deadline } from "../base/deadline.ts";
import { type Scope, whenAborted } from "../base/scope.ts";
import { findContainer } from "../kube/pod-containers.ts";
import type { Container } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { runPreStop } from "./hooks/lifecycle-hooks.ts";
import type { PodState } from "./pod-state.ts";
import { isSidecar } from "./restart-rules.ts";
import { recordsOf } from "./status/publish.ts";

/** A container's stop that is under way; another request can only make it shorter. */
export interface ContainerStop {
  /** Leaves the container this many seconds from now at most. */
  readonly shorten: (seconds: number) => void;
  readonly done: Promise<void>;
}

/** How one container is to be stopped. */
interface StopRequest {
  readonly graceSeconds: number;
  /** The Killing event's. */
  readonly message: string;
  /** Stops that come before this one. */
  readonly after: readonly Promise<void>[];
}

/** What is left to a container whose hook, or whose turn to stop, has taken all of the grace period. */
const leastSeconds = 2;

/**
 * Stops all running containers of the pod: app containers side by side, then sidecars one after the other, the last
 * one first, all within the grace period (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/).
 * A later call with a shorter grace period shortens an earlier one.
 */
export async function stopContainers(
  state: PodState,
  graceSeconds: number,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  const running = recordsOf(state, dependencies).filter((record) => record.phase !== "Exited");
  const sidecars = (state.pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const stops: Promise<void>[] = [];
  const stop = (record: ContainerRecord, after: readonly Promise<void>[]) => {
    const message = `Stopping container ${record.name}`;
    stops.push(stopContainer(state, record, { graceSeconds, message, after }, dependencies, scope));
  };
  for (const record of running) if (!sidecars.includes(record.name)) stop(record, []);
  for (const name of sidecars.toReversed()) {
    for (const record of running) if (record.name === name) stop(record, [...stops]);
  }
  await Promise.all(stops);
}

/**
 * Stops one container: its preStop hook, then its turn, then the stop signal, all of it within the grace period,
 * and SIGKILL after that. Resolves when it has ended. One that is being stopped already only gets less time.
 */
export function stopContainer(
  state: PodState,
  record: ContainerRecord,
  request: StopRequest,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  const current = state.stops.get(record.id);
  if (current !== undefined) {
    current.shorten(request.graceSeconds);
    return current.done;
  }
  dependencies.events.record(state.pod, "Normal", "Killing", request.message, scope, record.name);
  const container = findContainer(state.pod.spec, record.name);
  const hasHook = record.phase === "Running" && container?.lifecycle?.preStop !== undefined;
  const stop =
    container !== undefined && (hasHook || request.after.length > 0)
      ? stopInTurn(state, record, container, request, dependencies, scope)
      : stopAtOnce(record, request, dependencies, scope);
  const done = stop.done.finally(() => state.stops.delete(record.id));
  state.stops.set(record.id, { ...stop, done });
  return done;
}

function stopAtOnce(
  { id }: ContainerRecord,
  { graceSeconds }: StopRequest,
  { runtime }: AgentDependencies,
  scope: Scope,
): ContainerStop {
  const stop = async (seconds: number) => {
    await runtime.stopContainer(id, seconds, scope);
  };
  // Whoever waits for the stop learns of its failure.
  return { shorten: (seconds) => stop(seconds).catch(() => {}), done: stop(graceSeconds) };
}

function stopInTurn(
  state: PodState,
  record: ContainerRecord,
  container: Container,
  { graceSeconds, after }: StopRequest,
  dependencies: AgentDependencies,
  scope: Scope,
): ContainerStop {
  const { clock } = scope;
  const { runtime } = dependencies;
  const { id } = record;
  const hook = record.phase === "Running" ? container.lifecycle?.preStop : undefined;
  const deadline = new Deadline(clock.now() + graceSeconds * 1000, clock);
  let isSignalled = false;
  const run = async () => {
    try {
      if (hook !== undefined) {
        await runPreStop(state, container, id, hook, deadline.signal, dependencies, scope);
      }
      await settledBefore(after, deadline.signal);
      scope.signal.throwIfAborted();
      isSignalled = true;
      await runtime.stopContainer(id, Math.max(deadline.remaining() / 1000, leastSeconds), scope);
    } finally {
      deadline.cancel();
    }
  };
  return {
    shorten(seconds) {
      const isShorter = deadline.shorten(clock.now() + seconds * 1000);
      if (isShorter && isSignalled) runtime.stopContainer(id, seconds, scope).catch(() => {});
    },
    done: run(),
  };
}

async function settledBefore(promises: readonly Promise<void>[], limit: AbortSignal): Promise<void> {
  if (promises.length === 0 || limit.aborted) return;
  await Promise.race([Promise.allSettled(promises), whenAborted(limit)]);
}
