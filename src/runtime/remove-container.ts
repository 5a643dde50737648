import { dirname } from "node:path";
import type { Scope } from "../base/scope.ts";
import { removeCgroup } from "../host/cgroups.ts";
import type { RuntimeContext } from "./context.ts";
import { discardContainer } from "./discard-container.ts";
import type { ContainerStops } from "./stop-container.ts";

/** See `RuntimeService.removeContainer`. */
export async function removeContainer(
  context: RuntimeContext,
  stops: ContainerStops,
  id: string,
  scope: Scope,
): Promise<void> {
  const record = context.containers.get(id)?.record;
  if (record === undefined) return;
  if (record.phase === "Running") await stops.stop(id, 0, scope);
  await discardContainer(context, id, record, scope);
  const hasOtherInstance = context.containers
    .all()
    .some(({ record: other }) => other.podUID === record.podUID && other.name === record.name);
  // The cgroup that a container's instances have in common keeps its identity (for counters) as long as one exists.
  if (!hasOtherInstance) await removeCgroup(dirname(record.cgroup), scope);
}
