import { childPath, itemPath } from "../../kube/field-path.ts";
import { labelNameProblems } from "../../kube/names.ts";
import type { Container, PodSpec } from "../../kube/types.ts";
import { duplicate, forbidden, invalid, type Problem, required } from "../problems.ts";
import { validateEnv } from "./env.ts";
import { validateLifecycle } from "./lifecycle.ts";
import { validateVolumeMounts } from "./mounts.ts";
import { validateHostPortConflicts, validatePorts } from "./ports.ts";
import { validateProbes } from "./probes.ts";
import { validateResizePolicy } from "./resize-policy.ts";
import { validateResources } from "./resources.ts";
import { validateRestartPolicy } from "./restart-rules.ts";
import { validateContainerSecurity } from "./security.ts";
import { oneOf } from "./values.ts";

const containersPath = "spec.containers";
const initContainersPath = "spec.initContainers";

/** Fields that only mean something for a container that stays, so not for a plain init container. */
const lastingFields = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

/** Rules for all containers of a pod, and for what they must not have in common. */
export function validateContainers(spec: PodSpec): Problem[] {
  const containers = spec.containers ?? [];
  const initContainers = spec.initContainers ?? [];
  const problems: Problem[] = containers.length === 0 ? [required(containersPath)] : [];
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const path = itemPath(containersPath, index);
    problems.push(...validateName(path, container, names), ...validateContainer(path, container, spec));
    problems.push(...validateProbes(path, container), ...validateLifecycle(path, container, spec));
  }
  problems.push(...validateHostPortConflicts(containersPath, containers));
  for (const [index, container] of initContainers.entries()) {
    const path = itemPath(initContainersPath, index);
    problems.push(...validateName(path, container, names), ...validateContainer(path, container, spec));
    problems.push(...validateInitContainer(path, container, spec));
  }
  return problems;
}

function validateName(path: string, { name }: Container, names: Set<string>): Problem[] {
  const field = childPath(path, "name");
  if (!name) return [required(field)];
  if (names.has(name)) return [duplicate(field, name)];
  names.add(name);
  return labelNameProblems(name).map((text) => invalid(field, name, text));
}

function validateInitContainer(path: string, container: Container, spec: PodSpec): Problem[] {
  const sidecar = container.restartPolicy === "Always";
  if (sidecar) return [...validateProbes(path, container), ...validateLifecycle(path, container, spec)];
  const lasting = lastingFields
    .filter((name) => container[name] !== undefined)
    .map((name) =>
      forbidden(childPath(path, name), "may not be set for init containers without restartPolicy=Always"),
    );
  return (container.resizePolicy ?? []).length === 0
    ? lasting
    : [
        ...lasting,
        invalid(
          childPath(path, "resizePolicy"),
          container.resizePolicy,
          "must not be set for init containers",
        ),
      ];
}

/** Rules that hold for containers of every kind. */
export function validateContainer(path: string, container: Container, spec: PodSpec): Problem[] {
  return [
    ...validateImage(childPath(path, "image"), container.image),
    ...oneOf(childPath(path, "imagePullPolicy"), container.imagePullPolicy, [
      "Always",
      "IfNotPresent",
      "Never",
    ]),
    ...validateMessagePolicy(childPath(path, "terminationMessagePolicy"), container.terminationMessagePolicy),
    ...validateRestartPolicy(path, container),
    ...validatePorts(path, container.ports ?? [], spec.hostNetwork === true),
    ...validateEnv(path, container),
    ...validateVolumeMounts(path, container, spec.volumes ?? []),
    ...validateResources(childPath(path, "resources"), container.resources),
    ...validateResizePolicy(path, container, spec),
    ...validateContainerSecurity(childPath(path, "securityContext"), container.securityContext, spec),
  ];
}

function validateImage(field: string, image: string | undefined): Problem[] {
  if (!image) return [required(field)];
  return image === image.trim()
    ? []
    : [invalid(field, image, "must not have leading or trailing whitespace")];
}

function validateMessagePolicy(field: string, policy: string | undefined): Problem[] {
  if (policy === undefined || policy === "File" || policy === "FallbackToLogsOnError") return [];
  return [invalid(field, policy, "must be 'File' or 'FallbackToLogsOnError'")];
}
