import { PeapodError } from "../../base/errors.ts";
import type { StoredPod } from "../../kube/types.ts";
import { isDryRun } from "../admission.ts";
import { deleteObject, readDeleteOptions } from "../deletion.ts";
import { isJSONObject } from "../http/body.ts";
import { decodeBody } from "../http/decode-body.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { objectKey } from "../resource.ts";

/**
 * `/eviction`: a deletion that may be refused
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/). No disruption budget is asked.
 */
export function evict(request: ApiRequest): ApiAnswer {
  const sent = decodeBody(request);
  if (!isJSONObject(sent)) {
    throw new PeapodError("BadRequest", "the object provided is unrecognized (must be of type Eviction)");
  }
  const { deleteOptions } = sent;
  const options = isJSONObject(deleteOptions) ? readDeleteOptions(deleteOptions) : {};
  deleteObject(request, options, isDryRun(request.query.getAll("dryRun")));
  return {
    object: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 },
    code: 201,
  };
}

/** `/binding`: what a scheduler says. Every pod is bound when it is created. */
export function bind({ context, resource, namespace, name }: ApiRequest): never {
  const { spec } = context.store.get(objectKey(resource, namespace, name)) as unknown as StoredPod;
  throw new PeapodError(
    "Conflict",
    `Operation cannot be fulfilled on pods/binding ${JSON.stringify(name)}: pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`,
    { details: { name, kind: "pods/binding" } },
  );
}
