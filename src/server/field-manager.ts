import { PeapodError } from "../base/errors.ts";
import type { KubernetesObject } from "../kube/types.ts";
import { invalidObject } from "./admission.ts";
import { type Manager, readManagers, writeManagers } from "./apply/managers.ts";
import { type TrackedPart, trackUpdate } from "./apply/track.ts";
import type { ApiRequest } from "./request.ts";
import { apiVersionOf, typeOf } from "./resource.ts";

const longestName = 128;

/** The name under which the request's fields are kept; empty when it says none. Invalid for one that is no name. */
function fieldManager({ query }: Pick<ApiRequest, "query">): string {
  const name = query.get("fieldManager") ?? "";
  if (name.length <= longestName && /^\P{C}*$/u.test(name)) return name;
  throw invalidObject({ kind: "PatchOptions", group: "meta.k8s.io" }, "", [
    {
      field: "fieldManager",
      reason: "FieldValueInvalid",
      message: `Invalid value: ${JSON.stringify(name)}: must be printable and no more than ${longestName} characters`,
    },
  ]);
}

/** Who makes the request's change: the field manager it names, or the first word of the client's own name. */
function updatingManager(request: ApiRequest, part: TrackedPart, subresource: string | undefined): Manager {
  const manager =
    fieldManager(request) || request.userAgent.split("/")[0]?.slice(0, longestName) || "unknown";
  const apiVersion = apiVersionOf(request.resource);
  return {
    manager,
    operation: "Update",
    apiVersion,
    ...(part === "status" ? { subresource: "status" } : subresource === undefined ? {} : { subresource }),
  };
}

/**
 * Notes in `after.metadata.managedFields` who set what, `before` being the object as it was (nothing for a new one).
 * `subresource` is the one that was written, where that is no status. A writer may change the list itself, or empty it, as the API server allows.
 */
export function recordManagers(
  request: ApiRequest,
  part: TrackedPart,
  before: KubernetesObject | undefined,
  after: KubernetesObject,
  subresource?: string,
): void {
  const sent = readManagers(after);
  const list = after.metadata.managedFields;
  const emptied = list?.length === 1 && sent.length === 0;
  delete after.metadata.managedFields;
  if (emptied) return;
  const managers = trackUpdate(
    sent.length > 0 ? sent : readManagers(before ?? {}),
    updatingManager(request, part, subresource),
    {
      type: typeOf(request.resource),
      part,
      before: before ?? {},
      after,
      now: request.context.scope.clock.now(),
    },
  );
  const entries = writeManagers(managers);
  if (entries.length > 0) after.metadata.managedFields = entries;
}

/** Who applies the request's configuration. BadRequest where it names nobody. */
export function applyingManager(request: ApiRequest): Manager {
  const manager = fieldManager(request);
  if (manager !== "") return { manager, operation: "Apply", apiVersion: apiVersionOf(request.resource) };
  throw invalidObject({ kind: "PatchOptions", group: "meta.k8s.io" }, "", [
    {
      field: "fieldManager",
      reason: "FieldValueRequired",
      message: "Required value: is required for apply patch",
    },
  ]);
}

/** Refuses a configuration that says who owns what: only the server does. */
export function refuseManagedFields(metadata: { readonly managedFields?: unknown }): void {
  if (metadata.managedFields === undefined || metadata.managedFields === null) return;
  throw new PeapodError("BadRequest", "metadata.managedFields must be nil");
}
