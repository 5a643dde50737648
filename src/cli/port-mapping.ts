import type { StoredPod } from "../kube/types.ts";
import { usageError } from "./parse-arguments.ts";

/** A local port (0: any free one) and the pod's port to which it leads. */
export interface PortMapping {
  readonly local: number;
  readonly remote: number;
}

/**
 * `PORT`, `LOCAL:REMOTE` or `:REMOTE`, where REMOTE may be the name of a container's port, as kubectl reads it.
 * Throws a usage error.
 */
export function parsePortMapping(text: string, pod: StoredPod): PortMapping {
  const [first = "", second, ...more] = text.split(":");
  if (more.length > 0) throw usageError(`invalid port format '${text}'`);
  const remote = portNumber(second ?? first, text, pod);
  if (second === undefined) return { local: remote, remote };
  return { local: first === "" ? 0 : portNumber(first, text), remote };
}

function portNumber(word: string, text: string, pod?: StoredPod): number {
  const named = pod?.spec.containers
    .flatMap(({ ports }) => ports ?? [])
    .find(({ name }) => name === word)?.containerPort;
  const port = named ?? (/^\d+$/.test(word) ? Number(word) : Number.NaN);
  if (port >= 1 && port <= 65_535) return port;
  if (pod !== undefined && /^[a-z]/i.test(word)) {
    throw usageError(`Pod '${pod.metadata.name}' does not have a named port '${word}'`);
  }
  throw usageError(`invalid port number in '${text}'`);
}
