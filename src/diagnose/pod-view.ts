import { childPath, itemPath } from "../kube/field-path.ts";
import type { Container, Pod, PodSpec } from "../kube/types.ts";

/**
 * When a container runs: `app` from the pod's start to its end, `sidecar` (an init container that restarts
 * always) from before the app to after it, `init` alone and to its end.
 */
export type ContainerRole = "app" | "sidecar" | "init";

/** One container, and where it stands in its pod. */
export interface ContainerView {
  readonly container: Container;
  /** Empty where the manifest has none. */
  readonly name: string;
  readonly role: ContainerRole;
  /** `spec.containers[0]` */
  readonly path: string;
}

/** A pod as the rules look at it. */
export interface PodView {
  readonly spec: PodSpec;
  /** Kind of the object that has it: `Pod`, `Deployment`, `Job` … */
  readonly ownerKind: string;
  /** What `/etc/hosts` in its containers calls the pod itself; undefined where a controller makes up the name. */
  readonly hostName: string | undefined;
  /** Names that the other objects of the same files make resolvable, as far as one can tell: Services. */
  readonly serviceNames: ReadonlySet<string>;
  /** All containers in the order in which the kubelet starts them: init containers and sidecars, then the app. */
  readonly containers: readonly ContainerView[];
  /** Those that run side by side: sidecars and app containers. */
  readonly running: readonly ContainerView[];
}

/** Looks at `pod`, of an object of `ownerKind`. */
export function viewPod(pod: Pod, ownerKind: string, serviceNames: ReadonlySet<string>): PodView {
  const spec = pod.spec ?? { containers: [] };
  const containers = [
    ...(spec.initContainers ?? []).map((container, index) =>
      viewContainer(
        container,
        container.restartPolicy === "Always" ? "sidecar" : "init",
        "initContainers",
        index,
      ),
    ),
    ...(spec.containers ?? []).map((container, index) =>
      viewContainer(container, "app", "containers", index),
    ),
  ];
  return {
    spec,
    ownerKind,
    hostName: spec.hostname ?? (ownerKind === "Pod" ? pod.metadata?.name : undefined),
    serviceNames,
    containers,
    running: containers.filter(({ role }) => role !== "init"),
  };
}

function viewContainer(
  container: Container,
  role: ContainerRole,
  list: "containers" | "initContainers",
  index: number,
): ContainerView {
  return { container, name: container.name ?? "", role, path: itemPath(`spec.${list}`, index) };
}

/** The path of a container's field, e.g. `pathIn(view, "ports", 0)`. */
export function pathIn(view: ContainerView, field: string, index?: number): string {
  const path = childPath(view.path, field);
  return index === undefined ? path : itemPath(path, index);
}

/** Every pair of different elements, each once. */
export function pairs<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((first, index) => items.slice(index + 1).map((second): [T, T] => [first, second]));
}
