import type { Container, PodSpec } from "../kube/types.ts";

/** All containers of a pod: init containers, app containers, ephemeral ones. */
export function allContainers(spec: PodSpec): readonly Container[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = spec;
  return [...initContainers, ...containers, ...ephemeralContainers];
}

/** The container of that name; names are unique in a pod. */
export function findContainer(spec: PodSpec, name: string): Container | undefined {
  return allContainers(spec).find((container) => container.name === name);
}
