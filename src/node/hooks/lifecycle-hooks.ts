import { explain, PeapodError } from "../../base/errors.ts";
import { type Scope, withSignal } from "../../base/scope.ts";
import type { Container } from "../../kube/types.ts";
import type { AgentDependencies } from "../dependencies.ts";
import { podAddress } from "../pod-address.ts";
import type { PodState } from "../pod-state.ts";
import { type HookTarget, type LifecycleHandler, runHook } from "./run-hook.ts";

/**
 * Runs a container's postStart hook. Throws PostStartHookError, after an event, when it fails; the caller then
 * stops the container (https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/).
 */
export async function runPostStart(
  state: PodState,
  container: Container,
  id: string,
  hook: LifecycleHandler,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  try {
    await runHook(hook, target(state, container, id, dependencies, scope), scope);
  } catch (error) {
    scope.signal.throwIfAborted();
    record(state, container, "FailedPostStartHook", "PostStartHook failed", dependencies, scope);
    throw new PeapodError("PostStartHookError", explain(error));
  }
}

/**
 * Runs a container's preStop hook until it ends, `limit` aborts or the container has ended by itself. A failure is
 * told in an event and changes nothing.
 */
export async function runPreStop(
  state: PodState,
  container: Container,
  id: string,
  hook: LifecycleHandler,
  limit: AbortSignal,
  dependencies: AgentDependencies,
  outerScope: Scope,
): Promise<void> {
  const { runtime } = dependencies;
  const ended = new AbortController();
  const unsubscribe = runtime.onContainerChange((changed) => {
    if (changed === id && runtime.getContainer(id)?.phase === "Exited") ended.abort();
  });
  const scope = withSignal(outerScope, AbortSignal.any([limit, ended.signal]));
  try {
    await runHook(hook, target(state, container, id, dependencies, outerScope), scope);
  } catch (error) {
    outerScope.signal.throwIfAborted();
    if (scope.signal.aborted) return;
    outerScope.log.warn({ container: container.name, error: explain(error) }, "preStop hook failed");
    record(state, container, "FailedPreStopHook", "PreStopHook failed", dependencies, outerScope);
  } finally {
    unsubscribe();
  }
}

/** The event says only that it failed: the hook's own message may have secrets in it. */
function record(
  { pod }: PodState,
  container: Container,
  reason: string,
  message: string,
  { events }: AgentDependencies,
  scope: Scope,
): void {
  events.record(pod, "Warning", reason, message, scope, container.name);
}

function target(
  state: PodState,
  container: Container,
  id: string,
  dependencies: AgentDependencies,
  scope: Scope,
): HookTarget {
  const { pod } = state;
  const onHTTPFallback = () => {
    const message = "request to HTTPS lifecycle hook got HTTP response, retrying with HTTP";
    record(state, container, "LifecycleHTTPFallback", message, dependencies, scope);
  };
  const podIP = podAddress(state, dependencies);
  return { runtime: dependencies.runtime, pod, container, id, podIP, onHTTPFallback };
}
