import type { Scope } from "../base/scope.ts";
import type { ContainerResources } from "../kube/pod-allocation.ts";
import { type RuntimeContext, runtimeOf } from "./context.ts";
import { callRuntime } from "./oci-runtime.ts";
import { requireContainer } from "./require-container.ts";
import { changeableResources } from "./spec/resources.ts";
import type { ContainerRecord } from "./types.ts";

/** See `RuntimeService.resizeContainer`. */
export async function resizeContainer(
  context: RuntimeContext,
  id: string,
  resources: ContainerResources,
  scope: Scope,
): Promise<ContainerRecord> {
  const wanted = JSON.stringify(changeableResources(resources, context.machine));
  await callRuntime(runtimeOf(context, id), ["update", "--resources", "-", id], scope, { input: wanted });
  // Its phase may have changed meanwhile.
  const stored = requireContainer(context, id);
  const record = { ...stored.record, resources };
  context.containers.save({ ...stored, record });
  return record;
}
