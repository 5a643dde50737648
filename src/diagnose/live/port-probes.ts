import type { Probe } from "../../kube/types.ts";
import type { ContainerView } from "../pod-view.ts";
import type { LiveView } from "./view.ts";
import { isRunning } from "./view.ts";

/** A probe that goes to a port, and where. */
export interface PortProbe {
  readonly container: string;
  readonly name: "startupProbe" | "livenessProbe" | "readinessProbe";
  readonly initialDelaySeconds: number;
  readonly port: number;
}

/** The probes of running containers that the kubelet sends to a port of the pod's IP address. */
export function portProbes(view: LiveView): PortProbe[] {
  return view.view.running
    .filter(({ name }) => isRunning(view, name))
    .flatMap((container) =>
      (["startupProbe", "livenessProbe", "readinessProbe"] as const).flatMap((name) => {
        const probe: Probe | undefined = container.container[name];
        const action = probe?.httpGet ?? probe?.tcpSocket ?? probe?.grpc;
        const host = probe?.httpGet?.host ?? probe?.tcpSocket?.host;
        const port = action === undefined ? undefined : portNumber(container, action.port);
        return port === undefined || host
          ? []
          : [{ container: container.name, name, port, initialDelaySeconds: probe?.initialDelaySeconds ?? 0 }];
      }),
    );
}

function portNumber({ container }: ContainerView, port: string | number): number | undefined {
  if (typeof port === "number") return port;
  return (container.ports ?? []).find(({ name }) => name === port)?.containerPort;
}
