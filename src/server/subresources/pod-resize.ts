import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject, PodSpec, StoredPod } from "../../kube/types.ts";
import { recordManagers } from "../field-manager.ts";
import { isJSONObject, mediaType } from "../http/body.ts";
import { decodeBody } from "../http/decode-body.ts";
import { applyMediaType, decodePatch } from "../patch/decode-patch.ts";
import { checkLimits } from "../policies/check-policies.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import type { Subresource } from "../resource.ts";
import { checkResize, resizedSpec } from "../resources/pod-resize-rules.ts";
import { get } from "../verbs/get.ts";
import { applyToSubresource } from "../verbs/patch.ts";
import { writeObject } from "../write-object.ts";

/**
 * `/resize` of a pod: the whole pod is shown, and the cpu and memory of its containers can be changed while they run;
 * whatever else is sent is left as it is
 * (https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/).
 */
export const podResize: Subresource = {
  kind: "Pod",
  verbs: ["get", "patch", "update"],
  handlers: {
    get,
    update: (request) => {
      const sent = decodeBody(request);
      return write(request, () => sent);
    },
    patch: (request) =>
      mediaType(request.contentType) === applyMediaType
        ? applyToSubresource(withRules(request), "resize", onlyResources)
        : write(request, decodePatch(request)),
  },
};

function write(request: ApiRequest, changed: (current: KubernetesObject) => unknown): ApiAnswer {
  const propose = (current: KubernetesObject) => {
    const proposal = changed(current);
    if (!isJSONObject(proposal)) throw new PeapodError("BadRequest", "the object provided is no Pod");
    const { spec } = current as unknown as StoredPod;
    const wanted = isJSONObject(proposal.spec) ? (proposal.spec as Partial<PodSpec>) : {};
    const { name, namespace, uid, resourceVersion } = (proposal.metadata ?? {}) as Partial<
      KubernetesObject["metadata"]
    >;
    const said = Object.entries({ name, namespace, uid, resourceVersion }).filter(([, value]) => value);
    const metadata = { ...current.metadata, ...Object.fromEntries(said) };
    return { ...current, metadata, spec: resizedSpec(spec, wanted) };
  };
  return writeObject(withRules(request), "object", propose, (before, after) =>
    recordManagers(request, "object", before, after, "resize"),
  );
}

function withRules(request: ApiRequest): ApiRequest {
  const checkUpdate = (next: KubernetesObject, current: KubernetesObject) => {
    checkResize(next, current);
    checkLimits(request, next);
  };
  return { ...request, resource: { ...request.resource, checkUpdate } };
}

/** A configuration without all that a resize can't change. */
function onlyResources(configuration: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata, spec } = configuration as unknown as StoredPod;
  const part = ({ name, resources, resizePolicy }: PodSpec["containers"][number]) => ({
    name,
    ...(resources === undefined ? {} : { resources }),
    ...(resizePolicy === undefined ? {} : { resizePolicy }),
  });
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion },
    spec: {
      ...(spec?.resources === undefined ? {} : { resources: spec.resources }),
      ...(spec?.containers === undefined ? {} : { containers: spec.containers.map(part) }),
      ...(spec?.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(part) }),
    },
  } as unknown as KubernetesObject;
}
