import { podQOSClass } from "../../kube/pod-qos.ts";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import { admitPod, admitPodUpdate } from "../../manifest/admit.ts";
import { proxied } from "../proxy/subresource.ts";
import type { ApiContext } from "../request.ts";
import type { Resource } from "../resource.ts";
import { ephemeralContainers } from "../subresources/ephemeral-containers.ts";
import { upgradeRequired } from "../subresources/pod-exec.ts";
import { bind, evict } from "../subresources/pod-lifecycle.ts";
import { podLog } from "../subresources/pod-log.ts";
import { podResize } from "../subresources/pod-resize.ts";
import { statusSubresource } from "../subresources/status.ts";
import { ageColumn, nameColumn, textColumn } from "../table/columns.ts";
import { podState } from "../table/pod-state.ts";
import { awaitPodDeletion } from "./pod-deletion.ts";
import { admitRuntimeClass } from "./pod-runtime-class.ts";
import { schedulePod } from "./pod-scheduling.ts";
import { applyServiceAccount } from "./pod-service-account.ts";
import { checkPodUpdate } from "./pod-update.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
export const pods: Resource = {
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  singular: "pod",
  shortNames: ["po"],
  categories: ["all"],
  namespaced: true,
  verbs: ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"],
  subresources: {
    status: statusSubresource("Pod"),
    log: { kind: "Pod", verbs: ["get"], handlers: { get: podLog } },
    ephemeralcontainers: ephemeralContainers,
    resize: podResize,
    eviction: {
      group: "policy",
      version: "v1",
      kind: "Eviction",
      verbs: ["create"],
      handlers: { create: evict },
    },
    binding: { kind: "Binding", verbs: ["create"], handlers: { create: bind } },
    exec: stream("PodExecOptions"),
    attach: stream("PodAttachOptions"),
    portforward: stream("PodPortForwardOptions"),
    proxy: proxied("PodProxyOptions"),
  },
  deleteReturnsObject: true,
  admit: (value) => {
    const { pod, problems } = admitPod(value);
    return { object: pod as unknown as KubernetesObject, problems };
  },
  admitUpdate: (value) => {
    const { pod, problems } = admitPodUpdate(value);
    return { object: pod as unknown as KubernetesObject, problems };
  },
  prepareForCreate: (object, context) => {
    applyServiceAccount(object as unknown as StoredPod, context);
    prepare(object, context);
  },
  checkUpdate: (next, current, context) => {
    checkPodUpdate(next, current);
    schedulePod(next as unknown as StoredPod, context);
  },
  awaitDeletion: awaitPodDeletion,
  selectableFields: {
    "spec.nodeName": podField(({ spec }) => spec.nodeName),
    "spec.restartPolicy": podField(({ spec }) => spec.restartPolicy),
    "spec.schedulerName": podField(({ spec }) => spec.schedulerName),
    "spec.serviceAccountName": podField(({ spec }) => spec.serviceAccountName),
    "spec.hostNetwork": podField(({ spec }) => String(spec.hostNetwork ?? false)),
    "status.phase": podField(({ status }) => status?.phase),
    "status.podIP": podField(({ status }) => status?.podIP),
    "status.nominatedNodeName": podField(({ status }) => status?.nominatedNodeName),
  },
  columns: [
    nameColumn,
    textColumn<StoredPod>("Ready", "Ready containers of all.", (pod, now) => podState(pod, now).ready),
    textColumn<StoredPod>("Status", "What the pod is doing.", (pod, now) => podState(pod, now).status),
    textColumn<StoredPod>(
      "Restarts",
      "How often its containers restarted, and when last.",
      (pod, now) => podState(pod, now).restarts,
    ),
    ageColumn,
    textColumn<StoredPod>(
      "IP",
      "Address of the pod.",
      ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? "<none>",
      { wide: true },
    ),
    textColumn<StoredPod>("Node", "Node that runs the pod.", ({ spec }) => spec.nodeName ?? "<none>", {
      wide: true,
    }),
    textColumn<StoredPod>(
      "Nominated Node",
      "Node that is being made free for the pod.",
      ({ status }) => status?.nominatedNodeName ?? "<none>",
      { wide: true },
    ),
    textColumn<StoredPod>("Readiness Gates", "Fulfilled readiness gates of all.", readinessGates, {
      wide: true,
    }),
  ],
};

/** Answered by an upgrade of the connection (src/server/streams); without one there is nothing to say. */
function stream(kind: string): NonNullable<Resource["subresources"]>[string] {
  return { kind, verbs: ["get", "create"], handlers: { get: upgradeRequired, create: upgradeRequired } };
}

/** What admission adds; there is no scheduler, so a pod belongs to this node from the beginning. */
function prepare(object: KubernetesObject, context: ApiContext): void {
  const pod = object as unknown as StoredPod;
  admitRuntimeClass(pod, context.store);
  pod.status = { phase: "Pending", qosClass: podQOSClass(pod) };
  schedulePod(pod, context);
}

function readinessGates({ spec, status }: StoredPod): string {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const fulfilled = gates.filter(({ conditionType }) =>
    status?.conditions?.some(({ type, status: value }) => type === conditionType && value === "True"),
  );
  return `${fulfilled.length}/${gates.length}`;
}

function podField(read: (pod: StoredPod) => string | undefined): (object: KubernetesObject) => string {
  return (object) => read(object as unknown as StoredPod) ?? "";
}
