import type { Scope } from "../base/scope.ts";
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
}
