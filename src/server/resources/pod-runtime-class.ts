import type { IRuntimeClass } from "kubernetes-models/node.k8s.io/v1/RuntimeClass";
import { isNotFound, PeapodError } from "../../base/errors.ts";
import { amountsOf } from "../../kube/pod-resources.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { Store } from "../../store/types.ts";

type Overhead = NonNullable<NonNullable<IRuntimeClass["overhead"]>["podFixed"]>;

/**
 * Takes what the pod's RuntimeClass says into a new pod: overhead, node selector and tolerations, as the API server's
 * RuntimeClass admission does. Throws Forbidden, in its words, when there is no such class or the pod says otherwise.
 * https://kubernetes.io/docs/concepts/containers/runtime-class/ and …/scheduling-eviction/pod-overhead/
 */
export function admitRuntimeClass(pod: StoredPod, store: Pick<Store, "get">): void {
  const { spec } = pod;
  const runtimeClass = findClass(pod, store);
  const overhead = runtimeClass?.overhead?.podFixed;
  if (overhead === undefined || Object.keys(overhead).length === 0) {
    if (Object.keys(spec.overhead ?? {}).length > 0) {
      throw forbidden(
        pod,
        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
      );
    }
  } else {
    if (spec.overhead !== undefined && !isSame(spec.overhead as Overhead, overhead)) {
      throw forbidden(pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    }
    spec.overhead = overhead as NonNullable<typeof spec.overhead>;
  }
  const { nodeSelector = {}, tolerations = [] } = runtimeClass?.scheduling ?? {};
  for (const [key, value] of Object.entries(nodeSelector)) {
    const own = spec.nodeSelector?.[key];
    if (own === undefined || own === value) continue;
    const conflict = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
    throw forbidden(pod, `conflict: ${conflict}`);
  }
  if (Object.keys(nodeSelector).length > 0) spec.nodeSelector = { ...nodeSelector, ...spec.nodeSelector };
  const known = new Set((spec.tolerations ?? []).map((toleration) => JSON.stringify(toleration)));
  const added = tolerations.filter((toleration) => !known.has(JSON.stringify(toleration)));
  if (added.length > 0) {
    spec.tolerations = [...(spec.tolerations ?? []), ...added] as NonNullable<typeof spec.tolerations>;
  }
}

function findClass(pod: StoredPod, store: Pick<Store, "get">): IRuntimeClass | undefined {
  const name = pod.spec.runtimeClassName ?? "";
  if (name === "") return undefined;
  try {
    return store.get({
      resource: "runtimeclasses.node.k8s.io",
      namespace: "",
      name,
    }) as unknown as IRuntimeClass;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw forbidden(pod, `pod rejected: RuntimeClass "${name}" not found`);
  }
}

function isSame(a: Overhead, b: Overhead): boolean {
  const [own, others] = [amountsOf(a), amountsOf(b)];
  return own.size === others.size && [...own].every(([name, amount]) => others.get(name) === amount);
}

function forbidden({ metadata: { name } }: StoredPod, why: string): PeapodError {
  return new PeapodError("Forbidden", `pods "${name}" is forbidden: ${why}`, {
    details: { name, kind: "pods" },
  });
}
