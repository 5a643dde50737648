import { decodeBody } from "../http/decode-body.ts";
import { decodePatch } from "../patch/decode-patch.ts";
import type { Subresource } from "../resource.ts";
import { get } from "../verbs/get.ts";
import { writeObject } from "../write-object.ts";

/** `/status` of a kind: the whole object is shown, only its status is written. */
export function statusSubresource(kind: string): Subresource {
  return {
    kind,
    verbs: ["get", "update", "patch"],
    handlers: {
      get,
      update: (request) => {
        const sent = decodeBody(request);
        return writeObject(request, "status", () => sent);
      },
      patch: (request) => writeObject(request, "status", decodePatch(request)),
    },
  };
}
