import { deleteObject, deleteOptions, requestsDryRun } from "../deletion.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { successStatus } from "../status.ts";

/** DELETE of one object: the object (or, for kinds that say so, a Status) as it was or as it now waits for its end. */
export function deleteOne(request: ApiRequest): ApiAnswer {
  const { resource, name } = request;
  const options = deleteOptions(request);
  const object = deleteObject(request, options, requestsDryRun(request));
  if (resource.deleteReturnsObject === true) return { object };
  return {
    object: successStatus({ name, group: resource.group, kind: resource.plural, uid: object.metadata.uid }),
  };
}
