import type { Service, StoredPod } from "../kube/types.ts";
import { usageError } from "./parse-arguments.ts";

type ServicePort = NonNullable<NonNullable<Service["spec"]>["ports"]>[number];

/** A local port (0: any free one) and the pod's port to which it leads. */
export interface PortMapping {
  readonly local: number;
  readonly remote: number;
}

/**
 * `PORT`, `LOCAL:REMOTE` or `:REMOTE`, where REMOTE may be the name of a container's port, as kubectl reads it; with a
 * `service` it is one of the Service's ports, by number or name. Throws a usage error.
 */
export function parsePortMapping(text: string, pod: StoredPod, service?: Service): PortMapping {
  const [first = "", second, ...more] = text.split(":");
  if (more.length > 0) throw usageError(`invalid port format '${text}'`);
  const asked = second ?? first;
  const served = service === undefined ? undefined : servicePort(asked, service);
  const remote = portNumber(String(served?.targetPort ?? served?.port ?? asked), text, pod);
  if (second === undefined) return { local: served?.port ?? remote, remote };
  return { local: first === "" ? 0 : portNumber(first, text), remote };
}

function servicePort(word: string, { metadata, spec }: Service): ServicePort {
  const ports = spec?.ports ?? [];
  const found = ports.find(({ name, port }) => name === word || String(port) === word);
  if (found !== undefined) return found;
  const known = ports.map(({ port, name }) => (name === undefined ? `${port}` : `${port} (${name})`));
  throw usageError(
    `Service '${metadata?.name}' does not have a service port ${word}, but ${known.join(", ")}`,
  );
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
