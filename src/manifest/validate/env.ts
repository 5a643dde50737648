import { childPath, itemPath } from "../../kube/field-path.ts";
import { environmentVariableProblems, subdomainProblems } from "../../kube/names.ts";
import type { Container, EnvVar } from "../../kube/types.ts";
import { invalid, notSupported, type Problem, required } from "../problems.ts";
import { hasForm } from "./values.ts";

type EnvVarSource = NonNullable<EnvVar["valueFrom"]>;

/** What `valueFrom.fieldRef` may name, besides `metadata.labels['KEY']` and `metadata.annotations['KEY']`. */
const downwardFields = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const downwardResources = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

/** Rules for a container's `env` and `envFrom`. */
export function validateEnv(containerPath: string, container: Container): Problem[] {
  const problems: Problem[] = [];
  for (const [index, variable] of (container.env ?? []).entries()) {
    const path = itemPath(childPath(containerPath, "env"), index);
    if (!variable.name) problems.push(required(childPath(path, "name")));
    problems.push(...hasForm(childPath(path, "name"), variable.name, environmentVariableProblems));
    if (variable.valueFrom !== undefined) {
      problems.push(...validateSource(childPath(path, "valueFrom"), variable.value, variable.valueFrom));
    }
  }
  for (const [index, source] of (container.envFrom ?? []).entries()) {
    const path = itemPath(childPath(containerPath, "envFrom"), index);
    problems.push(...hasForm(childPath(path, "prefix"), source.prefix, environmentVariableProblems));
    const references = (["configMapRef", "secretRef"] as const).filter((name) => source[name] !== undefined);
    if (references.length === 0) {
      problems.push(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    } else if (references.length > 1) {
      problems.push(invalid(path, "", "may not have more than one field specified at a time"));
    }
    for (const reference of references) {
      problems.push(
        ...validateObjectName(childPath(childPath(path, reference), "name"), source[reference]?.name),
      );
    }
  }
  return problems;
}

function validateSource(path: string, value: string | undefined, source: EnvVarSource): Problem[] {
  const kinds = Object.keys(source);
  const problems: Problem[] = [];
  if (kinds.length === 0) {
    const names = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    problems.push(invalid(path, "", `must specify one of: ${names}`));
  } else if (value) {
    problems.push(invalid(path, "", "may not be specified when `value` is not empty"));
  } else if (kinds.length > 1) {
    problems.push(invalid(path, "", "may not have more than one field specified at a time"));
  }
  for (const name of ["configMapKeyRef", "secretKeyRef"] as const) {
    const reference = source[name];
    if (reference === undefined) continue;
    problems.push(...validateObjectName(childPath(childPath(path, name), "name"), reference.name));
    if (!reference.key) problems.push(required(childPath(childPath(path, name), "key")));
  }
  if (source.fieldRef !== undefined) {
    problems.push(...validateFieldReference(`${path}.fieldRef.fieldPath`, source.fieldRef.fieldPath));
  }
  if (source.resourceFieldRef !== undefined) {
    const field = `${path}.resourceFieldRef.resource`;
    const { resource } = source.resourceFieldRef;
    const hugePages = /^(?:limits|requests)\.hugepages-/.test(resource ?? "");
    if (!resource) problems.push(required(field));
    else if (!downwardResources.includes(resource) && !hugePages) {
      problems.push(notSupported(field, resource, downwardResources));
    }
  }
  return problems;
}

function validateFieldReference(field: string, fieldPath: string | undefined): Problem[] {
  if (!fieldPath) return [required(field)];
  if (/^metadata\.(?:labels|annotations)\['[^']+'\]$/.test(fieldPath)) return [];
  return downwardFields.includes(fieldPath) ? [] : [notSupported(field, fieldPath, downwardFields)];
}

function validateObjectName(field: string, name: string | undefined): Problem[] {
  return name ? hasForm(field, name, subdomainProblems) : [required(field)];
}
