import { PeapodError } from "../../base/errors.ts";
import { portNumber } from "../../kube/port-number.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { PodName } from "../../node/types.ts";
import type { ApiContext } from "../request.ts";

/** What a port-forward request asks for: v1.PodPortForwardOptions. */
export interface PortForwardOptions {
  readonly target: PodName;
  /** Only by WebSocket without SPDY; with SPDY each stream names its port. */
  readonly ports: readonly number[];
}

/** Reads a port-forward request. BadRequest for an impossible port or a pod that does not run. */
export function portForwardOptions(
  context: Pick<ApiContext, "store">,
  namespace: string,
  name: string,
  query: URLSearchParams,
): PortForwardOptions {
  const pod = context.store.get({ resource: "pods", namespace, name }) as unknown as StoredPod;
  const phase = pod.status?.phase;
  if (phase !== "Running") {
    throw new PeapodError(
      "BadRequest",
      `unable to forward port because pod is not running. Current status=${phase ?? "Pending"}`,
    );
  }
  const ports = query.getAll("ports").flatMap((list) => list.split(",").map(toPort));
  return { target: { namespace, pod: name, podUID: pod.metadata.uid }, ports };
}

function toPort(text: string): number {
  const port = portNumber(text);
  if (port !== undefined) return port;
  throw new PeapodError("BadRequest", `unable to parse ${JSON.stringify(text)} as a port`);
}
