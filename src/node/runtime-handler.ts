import { isNotFound, PeapodError } from "../base/errors.ts";
import type { KubernetesObject, StoredPod } from "../kube/types.ts";
import type { Store } from "../store/types.ts";

/**
 * The handler of the pod's RuntimeClass, by which the runtime service knows which OCI runtime is meant; undefined
 * without a class, or with one whose handler is empty. Throws FailedCreatePodSandBox when the class is gone
 * (https://kubernetes.io/docs/concepts/containers/runtime-class/).
 */
export function runtimeHandler({ spec }: StoredPod, store: Pick<Store, "get">): string | undefined {
  const name = spec.runtimeClassName ?? "";
  if (name === "") return undefined;
  try {
    const key = { resource: "runtimeclasses.node.k8s.io", namespace: "", name };
    const { handler } = store.get(key) as KubernetesObject & { handler?: string };
    return handler === "" ? undefined : handler;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new PeapodError("FailedCreatePodSandBox", `RuntimeClass "${name}" not found`, { cause: error });
  }
}
