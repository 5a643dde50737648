import { explain } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { AgentDependencies } from "./dependencies.ts";
import type { StopAction } from "./plan-types.ts";
import type { PodState } from "./pod-state.ts";
import { stopContainer } from "./stop-containers.ts";

/**
 * Begins to stop the containers that a probe has given up, whose image has changed or which a resize restarts. Their end asks for another
 * round by itself; one that is being stopped already goes on as it is.
 */
export function giveUpContainers(
  state: PodState,
  actions: readonly StopAction[],
  dependencies: AgentDependencies,
  scope: Scope,
): void {
  for (const action of actions) {
    const { record, message, restart } = action;
    if (state.stops.has(record.id)) continue;
    if (restart) state.restarting.add(record.id);
    const request = { graceSeconds: graceOf(state, action), message, after: [] };
    stopContainer(state, record, request, dependencies, scope).catch((error) => {
      if (scope.signal.aborted) return;
      scope.log.error({ container: record.name, error: explain(error) }, "container not stopped");
    });
  }
}

/** The probe's own grace period goes before the pod's. */
function graceOf({ pod }: PodState, { container, cause }: StopAction): number {
  const probe =
    cause === "liveness" ? container.livenessProbe : cause === "startup" ? container.startupProbe : undefined;
  return probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}
