import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { isJSONObject } from "../http/body.ts";
import { decodeBody } from "../http/decode-body.ts";
import { decodePatch } from "../patch/decode-patch.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { objectKey, type Subresource } from "../resource.ts";
import { selectorText } from "../table/columns.ts";
import { writeObject } from "../write-object.ts";

/** `/scale` of a kind with replicas: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v1/. */
export const scaleSubresource: Subresource = {
  group: "autoscaling",
  version: "v1",
  kind: "Scale",
  verbs: ["get", "patch", "update"],
  handlers: {
    get: ({ context, resource, namespace, name }) => ({
      object: scaleOf(context.store.get(objectKey(resource, namespace, name))),
    }),
    update: (request) => {
      const sent = decodeBody(request);
      return writeScale(request, () => sent);
    },
    patch: (request) => writeScale(request, decodePatch(request, "Scale")),
  },
};

interface Scalable {
  /** A ReplicationController's selector is the labels themselves. */
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: LabelSelector | Readonly<Record<string, string>>;
  };
  readonly status?: { readonly replicas?: number };
}

function scaleOf(object: KubernetesObject): KubernetesObject {
  const { spec, status } = object as Scalable;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: { replicas: spec?.replicas ?? 0 },
    status: { replicas: status?.replicas ?? 0, selector: selectorText(selectorOf(object)) },
  };
}

function selectorOf({ kind, spec }: KubernetesObject): LabelSelector | undefined {
  const selector = (spec as Scalable["spec"])?.selector;
  if (kind !== "ReplicationController") return selector as LabelSelector | undefined;
  return { matchLabels: (selector ?? {}) as Readonly<Record<string, string>> };
}

type LabelSelector = NonNullable<Parameters<typeof selectorText>[0]>;

function writeScale(request: ApiRequest, propose: (scale: unknown) => unknown): ApiAnswer {
  const answer = writeObject(request, "object", (current) => {
    const scale = propose(scaleOf(current));
    const replicas = isJSONObject(scale) && isJSONObject(scale.spec) ? scale.spec.replicas : undefined;
    if (typeof replicas !== "number" || !Number.isInteger(replicas)) {
      throw new PeapodError("BadRequest", "spec.replicas: Invalid value: must be an integer");
    }
    const metadata = isJSONObject(scale) && isJSONObject(scale.metadata) ? scale.metadata : {};
    const version = metadata.resourceVersion || current.metadata.resourceVersion;
    return {
      ...current,
      metadata: { ...current.metadata, resourceVersion: version },
      spec: { ...(current.spec as object), replicas },
    };
  });
  return "object" in answer ? { ...answer, object: scaleOf(answer.object as KubernetesObject) } : answer;
}
