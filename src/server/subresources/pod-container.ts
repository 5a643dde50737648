import { PeapodError } from "../../base/errors.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { ContainerName } from "../../node/types.ts";

/** kubectl's own annotation for the container that commands mean when none is named. */
const defaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

/**
 * The container that a request means: the one it names, the pod's only one, or the one that the pod's annotation
 * names. BadRequest, with the API server's words, for one that is not there or cannot be guessed.
 */
export function targetContainer(pod: StoredPod, asked: string | null): ContainerName {
  const { metadata, spec } = pod;
  const target = (container: string): ContainerName => ({
    namespace: metadata.namespace,
    pod: metadata.name,
    podUID: metadata.uid,
    container,
  });
  const names = spec.containers.map(({ name }) => name);
  const initNames = (spec.initContainers ?? []).map(({ name }) => name);
  if (asked !== null && asked !== "") {
    const ephemeralNames = (spec.ephemeralContainers ?? []).map(({ name }) => name);
    if ([...names, ...initNames, ...ephemeralNames].includes(asked)) return target(asked);
    throw new PeapodError("BadRequest", `container ${asked} is not valid for pod ${metadata.name}`);
  }

  const annotated = metadata.annotations?.[defaultContainerAnnotation];
  if (annotated !== undefined && names.includes(annotated)) return target(annotated);
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return target(only);
  const init = initNames.length === 0 ? "" : ` or one of the init containers: [${initNames.join(" ")}]`;
  throw new PeapodError(
    "BadRequest",
    `a container name must be specified for pod ${metadata.name}, choose one of: [${names.join(" ")}]${init}`,
  );
}
