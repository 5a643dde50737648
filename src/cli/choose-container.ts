import { PeapodError } from "../base/errors.ts";
import type { StoredPod } from "../kube/types.ts";
import type { Terminal } from "./terminal.ts";

const defaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

/** Names of all containers: init containers, the pod's own, ephemeral ones. */
export function containerNames({ spec }: StoredPod): string[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = spec;
  return [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => name);
}

/**
 * The container that `-c` names, or the pod's default: the annotated one, else the first (and says which that is
 * when there was a choice, as kubectl does). Throws `NotFound` when the pod has no such container.
 */
export function chooseContainer(
  pod: StoredPod,
  wanted: string | undefined,
  terminal: Pick<Terminal, "err">,
): string {
  const all = containerNames(pod);
  if (wanted !== undefined) {
    if (all.includes(wanted)) return wanted;
    throw new PeapodError(
      "NotFound",
      `container ${wanted} is not valid for pod ${pod.metadata.name} out of: ${all.join(", ")}`,
    );
  }
  const annotated = pod.metadata.annotations?.[defaultContainerAnnotation];
  if (annotated !== undefined && all.includes(annotated)) return annotated;
  const first = pod.spec.containers[0]?.name ?? "";
  if (all.length > 1) {
    const { containers, ephemeralContainers = [], initContainers = [] } = pod.spec;
    const list = [
      ...containers.map(({ name }) => name),
      ...ephemeralContainers.map(({ name }) => `${name} (ephem)`),
      ...initContainers.map(({ name }) => `${name} (init)`),
    ];
    terminal.err(`Defaulted container "${first}" out of: ${list.join(", ")}\n`);
  }
  return first;
}
