import { isDeepStrictEqual } from "node:util";
import { declaredPorts, portText } from "../declared-ports.ts";
import { defaultPorts } from "../image.ts";
import { listenFlags } from "../listen-flags.ts";
import { type ContainerView, pairs, pathIn } from "../pod-view.ts";
import type { ManifestRule, Observation } from "../rule.ts";

export const samePortTwice: ManifestRule = {
  id: "same-port-twice",
  severity: "error",
  title: "Two containers of one pod want the same port",
  reality:
    "All containers of a pod share one network namespace: one IP address, one loopback interface and one range of " +
    "ports. Whichever program binds a port first has it; the other one fails with `Address already in use` " +
    "(EADDRINUSE), ends, and is restarted for ever. Kubernetes accepts such a manifest.",
  fix:
    "Make one of the programs listen on another port, by its own flag, variable or configuration file " +
    "(`containerPort` alone doesn't move it), or put it into a pod of its own.",
  scope:
    "Two containers that run at the same time (sidecars among them) declare the same `containerPort` and protocol, " +
    "or run the same official server image with equal command, arguments, environment and mounts, so that both " +
    "listen on that image's own port. Init containers that end don't count. Quiet when a flag of one of them binds the " +
    "port to loopback: on different addresses both can have it.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking",
  check({ running }) {
    return pairs(running).flatMap(([first, second]) => {
      const declared = sameDeclaration(first, second);
      return declared.length > 0 ? declared : sameServer(first, second);
    });
  },
};

function sameDeclaration(first: ContainerView, second: ContainerView): Observation[] {
  return declaredPorts(second).flatMap((port) => {
    const earlier = declaredPorts(first).find(
      ({ number, protocol }) => number === port.number && protocol === port.protocol,
    );
    if (earlier === undefined) return [];
    const apart = [first, second].some((view) => listenFlags(view).loopback.has(port.number));
    if (apart) return [];
    return [
      {
        field: port.path,
        message: `containers "${first.name}" and "${second.name}" both declare port ${portText(port)}, and a pod has each port once`,
        related: [earlier.path],
      },
    ];
  });
}

function sameServer(first: ContainerView, second: ContainerView): Observation[] {
  const ports = defaultPorts(second.container);
  if (ports === undefined || !isSameProgram(first, second)) return [];
  return [
    {
      field: pathIn(second, "image"),
      message:
        `containers "${first.name}" and "${second.name}" both run ${second.container.image} with nothing that ` +
        `tells them apart, so both listen on port ${ports[0]}`,
      related: [pathIn(first, "image")],
    },
  ];
}

function isSameProgram({ container: a }: ContainerView, { container: b }: ContainerView): boolean {
  const fields = ["image", "command", "args", "env", "envFrom", "volumeMounts", "workingDir"] as const;
  return fields.every((field) => isDeepStrictEqual(a[field] ?? [], b[field] ?? []));
}
