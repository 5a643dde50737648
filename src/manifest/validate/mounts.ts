import { childPath, itemPath } from "../../kube/field-path.ts";
import type { Container, Volume } from "../../kube/types.ts";
import { forbidden, invalid, notFound, type Problem, required, warning } from "../problems.ts";
import { spellingHint } from "../spelling.ts";
import { descendingPath, oneOf } from "./values.ts";

/** Rules for a container's `volumeMounts`, against the volumes that the pod has. */
export function validateVolumeMounts(
  containerPath: string,
  container: Container,
  volumes: readonly Volume[],
): Problem[] {
  const problems: Problem[] = [];
  // One without a name is refused for that already.
  const names = volumes.flatMap(({ name }) => name ?? []);
  const devices = new Set((container.volumeDevices ?? []).map(({ name }) => name));
  const mountPaths = new Set<string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const path = itemPath(childPath(containerPath, "volumeMounts"), index);
    const { name, mountPath, subPath, subPathExpr, mountPropagation } = mount;
    if (!name) problems.push(required(childPath(path, "name")));
    else if (!names.includes(name)) {
      problems.push(notFound(childPath(path, "name"), name, spellingHint(name, names).replace(/^, /, "")));
    } else if (devices.has(name)) {
      problems.push(invalid(childPath(path, "name"), name, "must not already exist in volumeDevices"));
    }
    if (!mountPath) problems.push(required(childPath(path, "mountPath")));
    else if (mountPaths.has(mountPath)) {
      problems.push(invalid(childPath(path, "mountPath"), mountPath, "must be unique"));
    }
    mountPaths.add(mountPath);
    if (mountPath && !mountPath.startsWith("/")) {
      const message = `a relative path: it is mounted at /${mountPath}, as Kubernetes does`;
      problems.push(warning(childPath(path, "mountPath"), message));
    }
    if (subPath) problems.push(...descendingPath(childPath(path, "subPath"), subPath));
    if (subPathExpr && subPath) {
      problems.push(
        invalid(
          childPath(path, "subPathExpr"),
          subPathExpr,
          "subPathExpr and subPath are mutually exclusive",
        ),
      );
    }
    if (subPathExpr) problems.push(...descendingPath(childPath(path, "subPathExpr"), subPathExpr));
    problems.push(
      ...oneOf(childPath(path, "mountPropagation"), mountPropagation, [
        "Bidirectional",
        "HostToContainer",
        "None",
      ]),
    );
    if (mountPropagation === "Bidirectional" && container.securityContext?.privileged !== true) {
      const detail = "Bidirectional mount propagation is available only to privileged containers";
      problems.push(forbidden(childPath(path, "mountPropagation"), detail));
    }
    problems.push(...validateRecursiveReadOnly(path, mount));
  }
  return problems;
}

function validateRecursiveReadOnly(
  path: string,
  mount: NonNullable<Container["volumeMounts"]>[number],
): Problem[] {
  const field = childPath(path, "recursiveReadOnly");
  const problems = oneOf(field, mount.recursiveReadOnly, ["Disabled", "Enabled", "IfPossible"]);
  const asked = mount.recursiveReadOnly !== undefined && mount.recursiveReadOnly !== "Disabled";
  if (asked && mount.readOnly !== true) {
    problems.push(forbidden(field, "may only be specified when readOnly is true"));
  }
  if (asked && mount.mountPropagation !== undefined && mount.mountPropagation !== "None") {
    problems.push(forbidden(field, "may only be specified when mountPropagation is None or not specified"));
  }
  return problems;
}
