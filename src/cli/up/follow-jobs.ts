import type { Scope } from "../../base/scope.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import type { Workload } from "../remove-workloads.ts";
import type { Session } from "../session.ts";
import { hasFinished } from "./workload-state.ts";

/**
 * Resolves with the last states of the workloads when all of them have ended; never where one of them is no Job, since
 * nothing else ends by itself. Rejects with the signal's reason.
 */
export async function untilOver(
  workloads: readonly Workload[],
  { client }: Session,
  scope: Scope,
): Promise<readonly KubernetesObject[]> {
  return Promise.all(
    workloads.map(async ({ type, object }) => {
      const { namespace, name } = object.metadata;
      const selection = { namespace, fieldSelector: `metadata.name=${name}` };
      for await (const change of client.watch(type, selection, scope)) {
        if (type.kind === "Job" && (change.type === "DELETED" || hasFinished(change.object))) {
          return change.object;
        }
      }
      scope.signal.throwIfAborted();
      return object;
    }),
  );
}

/** Why a Job failed, in one line; undefined for one that did not. */
export function jobFailure({ metadata, status }: KubernetesObject): string | undefined {
  const { conditions = [] } = (status ?? {}) as {
    conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
  };
  const failed = conditions.find((condition) => condition.type === "Failed" && condition.status === "True");
  if (failed === undefined) return undefined;
  return `error: job/${metadata.name} failed: ${failed.reason}: ${failed.message}\n`;
}
