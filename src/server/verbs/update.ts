import { decodeBody } from "../http/decode-body.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { writeObject } from "../write-object.ts";

/** PUT of one object: all but its status. */
export function update(request: ApiRequest): ApiAnswer {
  const sent = decodeBody(request);
  return writeObject(request, "object", () => sent);
}
