import type { Container, PodSpec } from "./types.ts";

/** The containers that a pod's manifest asks for: init containers, then app containers. */
export function initAndAppContainers(
  spec: Pick<PodSpec, "initContainers" | "containers">,
): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** All containers of a pod: init containers, app containers, ephemeral ones. */
export function allContainers(spec: PodSpec): readonly Container[] {
  return [...initAndAppContainers(spec), ...(spec.ephemeralContainers ?? [])];
}

/** The container of that name; names are unique in a pod. */
export function findContainer(spec: PodSpec, name: string): Container | undefined {
  return allContainers(spec).find((container) => container.name === name);
}
