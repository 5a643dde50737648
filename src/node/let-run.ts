import { errorCode } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { UndoStack } from "../base/undo-stack.ts";
import type { Container } from "../kube/types.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { runPostStart } from "./hooks/lifecycle-hooks.ts";
import type { PodState } from "./pod-state.ts";
import { stopContainer } from "./stop-containers.ts";

/**
 * Lets a created container's process run, then its postStart hook. From the moment it ran, or failed to, `undo`
 * takes nothing of it back. Throws RunContainerError or, after stopping the container, PostStartHookError.
 */
export async function letRun(
  state: PodState,
  container: Container,
  id: string,
  undo: UndoStack,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  const { runtime, events } = dependencies;
  const hook = container.lifecycle?.postStart;
  // Until the hook has returned the container is shown as one that is being created.
  if (hook !== undefined) state.inHook.add(container.name);
  try {
    await runtime.startContainer(id, scope);
    undo.commit();
    events.record(
      state.pod,
      "Normal",
      "Started",
      `Started container ${container.name}`,
      scope,
      container.name,
    );
    if (hook !== undefined) await runPostStart(state, container, id, hook, dependencies, scope);
  } catch (error) {
    const code = errorCode(error);
    if (code === "RunContainerError") undo.commit();
    if (code === "PostStartHookError") await stopAfterHook(state, id, dependencies, scope);
    throw error;
  } finally {
    state.inHook.delete(container.name);
  }
}

/** A container whose postStart hook failed does not go on; its restart policy decides what comes then. */
async function stopAfterHook(
  state: PodState,
  id: string,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  const record = dependencies.runtime.getContainer(id);
  if (record === undefined || record.phase === "Exited") return;
  const graceSeconds = state.pod.spec.terminationGracePeriodSeconds ?? 30;
  const request = { graceSeconds, message: "FailedPostStartHook", after: [] };
  await stopContainer(state, record, request, dependencies, scope);
}
