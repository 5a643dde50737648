import { errorCode, explain } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { releaseClaims } from "../claims/release-claims.ts";
import type { AgentDependencies } from "../dependencies.ts";
import type { PodState } from "../pod-state.ts";
import { type ConfigurationReferences, referencesOf } from "./references.ts";

/** The pods at work, and how to ask for another round of one. */
interface Workers {
  pods(): readonly PodState[];
  wake(podUID: string): void;
}

/** Resources that pods' configuration is read from, and where a pod's references to them are. */
const followed: Readonly<Record<string, keyof ConfigurationReferences>> = {
  configmaps: "configMaps",
  secrets: "secrets",
  persistentvolumeclaims: "claims",
};

/**
 * Follows what pods' configuration is read from, until the scope ends: a pod that refers to an object which changed
 * gets another round, at once even where it waited because the object was missing.
 */
export function followConfiguration(
  workers: Workers,
  dependencies: Pick<AgentDependencies, "store" | "volumes">,
  scope: Scope,
): Promise<void>[] {
  const { store } = dependencies;
  return Object.entries(followed).map(async ([resource, list]) => {
    for (let from = store.resourceVersion(); !scope.signal.aborted; ) {
      try {
        const changes = store.watch(resource, { resourceVersion: from, signal: scope.signal });
        for await (const { type, object } of changes) {
          if (type === "BOOKMARK") continue;
          wakePodsOf(object, list, workers);
          const isEnding = type === "DELETED" || object.metadata.deletionTimestamp !== undefined;
          if (list === "claims" && isEnding) await releaseClaims(dependencies, scope);
        }
      } catch (error) {
        if (scope.signal.aborted) return;
        if (errorCode(error) !== "Expired") {
          scope.log.error({ resource, error: explain(error) }, "watch ended");
          await scope.clock.sleep(1_000, scope.signal);
        }
      }
      from = store.resourceVersion();
      // What changed meanwhile is unknown: every pod looks anew.
      for (const state of workers.pods()) wake(state, workers);
    }
  });
}

function wakePodsOf(object: KubernetesObject, list: keyof ConfigurationReferences, workers: Workers): void {
  const { namespace, name } = object.metadata;
  for (const state of workers.pods()) {
    const isConcerned = state.pod.metadata.namespace === namespace && referencesOf(state.pod)[list].has(name);
    if (isConcerned) wake(state, workers);
  }
}

function wake(state: PodState, workers: Workers): void {
  state.retryConfiguration();
  workers.wake(state.uid);
}
