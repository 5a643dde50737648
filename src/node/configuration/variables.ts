import { PeapodError } from "../../base/errors.ts";
import type { Container, EnvVar, StoredPod } from "../../kube/types.ts";
import { expandReferences } from "../expansion.ts";
import { fieldValue, type PodAddresses } from "./field-value.ts";
import { resourceValue } from "./resource-value.ts";
import type { Allocatable, ConfigurationObjects } from "./sources.ts";

/** Where the values of a container's variables come from, beside its specification. */
export interface VariableSources extends PodAddresses {
  readonly objects: ConfigurationObjects;
  readonly allocatable: Allocatable;
  /** The variables that tell of Services; the container's own go before them. */
  readonly services: ReadonlyMap<string, string>;
  /**
   * The value of a variable in a file of the pod's volume (`fileKeyRef`); undefined when the file has no such
   * variable or is not there.
   */
  readonly fileVariable: (volume: string, path: string, name: string) => string | undefined;
}

type Variables = Map<string, string>;
type ValueSource = NonNullable<EnvVar["valueFrom"]>;

/**
 * The variables that a container's `envFrom` and `env` ask for: `env` over `envFrom` over those of Services, each able to
 * refer to those before it, and to those of Services, by `$(NAME)`. A source that is missing and optional leaves its variable out; otherwise
 * CreateContainerConfigError with the kubelet's words
 * (https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/).
 */
export function containerVariables(
  pod: StoredPod,
  container: Container,
  sources: VariableSources,
): ReadonlyMap<string, string> {
  const variables: Variables = new Map(sources.services);
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    const data =
      configMapRef !== undefined
        ? configMapData(configMapRef, sources)
        : secretRef !== undefined
          ? secretData(secretRef, sources)
          : undefined;
    for (const [key, value] of Object.entries(data ?? {})) variables.set(prefix + key, value);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const resolved =
      value !== undefined && value !== ""
        ? expandReferences(value, variables)
        : valueFrom === undefined
          ? ""
          : sourceValue(pod, container, valueFrom, sources);
    if (resolved !== undefined) variables.set(name, resolved);
  }
  return variables;
}

function sourceValue(
  pod: StoredPod,
  container: Container,
  source: ValueSource,
  sources: VariableSources,
): string | undefined {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const { namespace } = pod.metadata;
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath, sources);
  if (resourceFieldRef !== undefined) {
    return resourceValue(resourceFieldRef, pod, container, sources.allocatable);
  }
  if (configMapKeyRef !== undefined) {
    const data = configMapData(configMapKeyRef, sources);
    return data && valueOfKey(data, configMapKeyRef, `ConfigMap ${namespace}`);
  }
  if (secretKeyRef !== undefined) {
    const data = secretData(secretKeyRef, sources);
    return data && valueOfKey(data, secretKeyRef, `Secret ${namespace}`);
  }
  if (fileKeyRef !== undefined) {
    const { volumeName, path, key, optional } = fileKeyRef;
    const value = sources.fileVariable(volumeName, path, key);
    if (value !== undefined || optional === true) return value;
    throw failure(`environment variable key "${key}" not found in file "${path}" of volume "${volumeName}"`);
  }
  return "";
}

interface ObjectReference {
  readonly name?: string;
  readonly optional?: boolean;
}

function configMapData({ name = "", optional }: ObjectReference, { objects }: VariableSources) {
  const configMap = objects.configMap(name);
  if (configMap !== undefined) return configMap.data ?? {};
  return missing(`configmap "${name}" not found`, optional);
}

function secretData({ name = "", optional }: ObjectReference, { objects }: VariableSources) {
  const secret = objects.secret(name);
  if (secret === undefined) return missing(`secret "${name}" not found`, optional);
  const decoded = Object.entries(secret.data ?? {}).map(([key, value]) => [key, decode(value)]);
  return Object.fromEntries(decoded) as Record<string, string>;
}

function valueOfKey(
  data: Readonly<Record<string, string>>,
  { name = "", key, optional }: ObjectReference & { readonly key: string },
  where: string,
): string | undefined {
  if (Object.hasOwn(data, key)) return data[key];
  return missing(`couldn't find key ${key} in ${where}/${name}`, optional);
}

function decode(base64: unknown): string {
  return Buffer.from(String(base64), "base64").toString();
}

function missing(message: string, optional: boolean | undefined): undefined {
  if (optional !== true) throw failure(message);
  return undefined;
}

function failure(message: string): PeapodError {
  return new PeapodError("CreateContainerConfigError", message);
}
