import { initAndAppContainers } from "./pod-containers.ts";
import { amountsOf } from "./pod-resources.ts";
import type { Container, PodSpec, StoredPod } from "./types.ts";

/** What a container, or a pod as a whole, asks for and may use. */
export type ContainerResources = NonNullable<Container["resources"]>;

/**
 * What a node has granted a pod. The specification may ask for something else already: it is what is wanted, this
 * is what holds
 * (https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#key-concepts).
 */
export interface PodAllocation {
  /** metadata.generation of the pod that was granted. */
  readonly generation: number;
  /** Of the pod as a whole, where it says so. */
  readonly pod?: ContainerResources;
  /** By container name. */
  readonly containers: Readonly<Record<string, ContainerResources>>;
}

/** Granting all that the pod asks for. */
export function allocationFor({ metadata, spec }: StoredPod): PodAllocation {
  return {
    generation: metadata.generation ?? 1,
    ...(spec.resources === undefined ? {} : { pod: spec.resources }),
    containers: Object.fromEntries(
      initAndAppContainers(spec).map(({ name, resources }) => [name, resources ?? {}]),
    ),
  };
}

/** The pod as it was granted: the amounts of `allocation` in the place of those that it asks for. */
export function allocatedPod(pod: StoredPod, allocation: PodAllocation | undefined): StoredPod {
  if (allocation === undefined) return pod;
  const granted = (container: Container): Container => {
    const resources = allocation.containers[container.name];
    return resources === undefined ? container : { ...container, resources };
  };
  const { resources: _, ...spec } = pod.spec;
  return {
    ...pod,
    spec: {
      ...spec,
      ...(allocation.pod === undefined ? {} : { resources: allocation.pod }),
      containers: spec.containers.map(granted),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(granted) }),
    },
  };
}

/** Whether both grant the same amounts, however they are written. */
export function isSameAllocation(a: PodAllocation, b: PodAllocation): boolean {
  const names = new Set([...Object.keys(a.containers), ...Object.keys(b.containers)]);
  return (
    isSameResources(a.pod, b.pod) &&
    [...names].every((name) => isSameResources(a.containers[name], b.containers[name]))
  );
}

/** Whether both mean the same amounts of cpu and memory, however they are written. */
export function isSameResources(
  a: ContainerResources | undefined,
  b: ContainerResources | undefined,
  resources: readonly ("cpu" | "memory")[] = ["cpu", "memory"],
): boolean {
  return (["requests", "limits"] as const).every((list) => {
    const [left, right] = [amountsOf(a?.[list]), amountsOf(b?.[list])];
    return resources.every((name) => left.get(name) === right.get(name));
  });
}

/** Containers that can get other resources while they run: app containers and sidecars. */
export function resizableContainers({ containers, initContainers = [] }: PodSpec): readonly Container[] {
  return [...initContainers.filter(({ restartPolicy }) => restartPolicy === "Always"), ...containers];
}
