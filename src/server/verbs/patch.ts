import { decodePatch } from "../patch/decode-patch.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { writeObject } from "../write-object.ts";

/** PATCH of one object: all but its status. */
export function patch(request: ApiRequest): ApiAnswer {
  return writeObject(request, "object", decodePatch(request));
}
