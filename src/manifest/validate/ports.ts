import { childPath, itemPath } from "../../kube/field-path.ts";
import { portNameProblems } from "../../kube/names.ts";
import type { Container, ContainerPort } from "../../kube/types.ts";
import { duplicate, invalid, type Problem, required } from "../problems.ts";
import { hasForm, ipAddress, oneOf, portNumber } from "./values.ts";

/** Rules for one container's ports. */
export function validatePorts(
  containerPath: string,
  ports: readonly ContainerPort[],
  hostNetwork: boolean,
): Problem[] {
  const problems: Problem[] = [];
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = itemPath(childPath(containerPath, "ports"), index);
    const { name, containerPort, hostPort, hostIP } = port;
    const ofName = hasForm(childPath(path, "name"), name, portNameProblems);
    problems.push(...ofName);
    if (name && ofName.length === 0 && names.has(name))
      problems.push(duplicate(childPath(path, "name"), name));
    if (name) names.add(name);
    // The API server takes a port of 0 for one that was left out.
    if (!containerPort) problems.push(required(childPath(path, "containerPort")));
    else problems.push(...portNumber(childPath(path, "containerPort"), containerPort));
    if (hostPort) problems.push(...portNumber(childPath(path, "hostPort"), hostPort));
    if (hostIP) problems.push(...ipAddress(childPath(path, "hostIP"), hostIP));
    problems.push(...oneOf(childPath(path, "protocol"), port.protocol, ["SCTP", "TCP", "UDP"]));
    if (hostNetwork && hostPort && containerPort && hostPort !== containerPort) {
      problems.push(
        invalid(
          childPath(path, "containerPort"),
          containerPort,
          "must match `hostPort` when `hostNetwork` is true",
        ),
      );
    }
  }
  return problems;
}

/** No two containers may ask for the same port of the host. */
export function validateHostPortConflicts(path: string, containers: readonly Container[]): Problem[] {
  const problems: Problem[] = [];
  const taken = new Set<string>();
  for (const [index, container] of containers.entries()) {
    for (const [portIndex, { hostPort, hostIP = "", protocol }] of (container.ports ?? []).entries()) {
      if (!hostPort) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      const portPath = itemPath(childPath(itemPath(path, index), "ports"), portIndex);
      if (taken.has(key)) problems.push(duplicate(childPath(portPath, "hostPort"), key));
      taken.add(key);
    }
  }
  return problems;
}
