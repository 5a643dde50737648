import { isDeepStrictEqual } from "node:util";
import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import { invalidObject } from "../admission.ts";
import { isJSONObject } from "../http/body.ts";
import { decodeBody } from "../http/decode-body.ts";
import { decodePatch } from "../patch/decode-patch.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import type { Subresource } from "../resource.ts";
import { get } from "../verbs/get.ts";
import { writeObject } from "../write-object.ts";

/**
 * `/ephemeralcontainers` of a pod: the whole pod is shown, and containers can be added to it, neither changed nor
 * removed (https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/).
 */
export const ephemeralContainers: Subresource = {
  kind: "Pod",
  verbs: ["get", "update", "patch"],
  handlers: {
    get,
    update: (request) => {
      const sent = decodeBody(request);
      return write(request, () => sent);
    },
    patch: (request) => write(request, decodePatch(request)),
  },
};

function write(request: ApiRequest, propose: (current: KubernetesObject) => unknown): ApiAnswer {
  const resource = { ...request.resource, checkUpdate: checkAdditions };
  return writeObject({ ...request, resource }, "object", (current) => {
    const proposal = propose(current);
    if (!isJSONObject(proposal)) throw new PeapodError("BadRequest", "the object provided is no Pod");
    const { ephemeralContainers } = isJSONObject(proposal.spec) ? proposal.spec : {};
    const { spec } = current as unknown as StoredPod;
    return { ...proposal, spec: { ...spec, ephemeralContainers } };
  });
}

function checkAdditions(nextObject: KubernetesObject, currentObject: KubernetesObject): void {
  const next = nextObject as unknown as StoredPod;
  const current = currentObject as unknown as StoredPod;
  const field = "spec.ephemeralContainers";
  const problems = (current.spec.ephemeralContainers ?? []).flatMap((before) => {
    const after = next.spec.ephemeralContainers?.find(({ name }) => name === before.name);
    if (isDeepStrictEqual(after, before)) return [];
    const what = after === undefined ? "removed" : "changed";
    const message = `Forbidden: existing ephemeral containers ${JSON.stringify(before.name)} may not be ${what}\n`;
    return [{ field, reason: "FieldValueForbidden", message }];
  });
  if (problems.length > 0) throw invalidObject({ kind: "Pod", group: "" }, current.metadata.name, problems);
}
