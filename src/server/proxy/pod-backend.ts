import { PeapodError } from "../../base/errors.ts";
import { portNumber } from "../../kube/port-number.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { ApiContext } from "../request.ts";
import { type Backend, parseProxyName } from "./backend.ts";

/**
 * Where `/pods/NAME/proxy` leads: the pod's own address, so that only a server that listens there answers, at the port
 * that is named by number, or the first that a container declares, or the scheme's own. NotFound for a missing pod,
 * BadRequest for no such port, ServiceUnavailable while the pod has no address.
 */
export function podBackend({ store }: Pick<ApiContext, "store">, namespace: string, text: string): Backend {
  const { scheme, name, port } = parseProxyName(text);
  const { spec, status } = store.get({ resource: "pods", namespace, name }) as unknown as StoredPod;
  const declared = spec.containers.flatMap(({ ports = [] }) => ports)[0]?.containerPort;
  const number = port === "" ? (declared ?? (scheme === "https" ? 443 : 80)) : portNumber(port);
  if (number === undefined) {
    throw new PeapodError(
      "BadRequest",
      `invalid port ${JSON.stringify(port)}: it must be a number from 1 to 65535`,
    );
  }
  if (status?.podIP === undefined || status.podIP === "") {
    throw new PeapodError("ServiceUnavailable", `pod ${name} has no address yet`);
  }
  return { scheme, host: status.podIP, port: number };
}
