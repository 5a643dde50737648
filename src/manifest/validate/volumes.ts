import { childPath, itemPath } from "../../kube/field-path.ts";
import { labelNameProblems } from "../../kube/names.ts";
import { parseQuantity } from "../../kube/quantity.ts";
import type { Volume } from "../../kube/types.ts";
import { duplicate, forbidden, invalid, type Problem, required } from "../problems.ts";
import { descendingPath, fileMode, noBacksteps, oneOf } from "./values.ts";

const volumesPath = "spec.volumes";
const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

/** Rules for a pod's volumes; each has one source, and its source's own rules. */
export function validateVolumes(volumes: readonly Volume[]): Problem[] {
  const problems: Problem[] = [];
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const path = itemPath(volumesPath, index);
    const { name } = volume;
    const field = childPath(path, "name");
    if (!name) problems.push(required(field));
    else if (names.has(name)) problems.push(duplicate(field, name));
    else problems.push(...labelNameProblems(name).map((text) => invalid(field, name, text)));
    names.add(name);
    const [, ...others] = Object.keys(volume).filter((source) => source !== "name");
    for (const source of others) {
      problems.push(forbidden(childPath(path, source), "may not specify more than 1 volume type"));
    }
    problems.push(...validateSource(path, volume));
  }
  return problems;
}

function validateSource(path: string, volume: Volume): Problem[] {
  return [
    ...validateEmptyDir(childPath(path, "emptyDir"), volume.emptyDir),
    ...validateHostPath(childPath(path, "hostPath"), volume.hostPath),
    ...validateFiles(childPath(path, "configMap"), volume.configMap, "name"),
    ...validateFiles(childPath(path, "secret"), volume.secret, "secretName"),
    ...fileMode(`${path}.downwardAPI.defaultMode`, volume.downwardAPI?.defaultMode),
    ...fileMode(`${path}.projected.defaultMode`, volume.projected?.defaultMode),
    ...(volume.persistentVolumeClaim !== undefined && !volume.persistentVolumeClaim.claimName
      ? [required(`${path}.persistentVolumeClaim.claimName`)]
      : []),
  ];
}

function validateEmptyDir(path: string, source: Volume["emptyDir"]): Problem[] {
  if (source === undefined) return [];
  const { medium, sizeLimit } = source;
  const size = sizeLimit === undefined ? undefined : parseQuantity(sizeLimit);
  const problems: Problem[] = [];
  if (size !== undefined && size.nano < 0n) {
    problems.push(
      forbidden(childPath(path, "sizeLimit"), "SizeLimit field must be a valid resource quantity"),
    );
  }
  if (!medium?.startsWith("HugePages-")) {
    problems.push(...oneOf(childPath(path, "medium"), medium, ["", "HugePages", "Memory"]));
  }
  return problems;
}

function validateHostPath(path: string, source: Volume["hostPath"]): Problem[] {
  if (source === undefined) return [];
  const field = childPath(path, "path");
  const ofPath = source.path ? noBacksteps(field, source.path) : [required(field)];
  return [...ofPath, ...oneOf(childPath(path, "type"), source.type, hostPathTypes)];
}

interface FilesSource {
  readonly name?: string;
  readonly secretName?: string;
  readonly defaultMode?: number;
  readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[];
}

/** ConfigMap and Secret volumes: a named object whose keys become files. */
function validateFiles(
  path: string,
  source: FilesSource | undefined,
  nameField: "name" | "secretName",
): Problem[] {
  if (source === undefined) return [];
  const problems: Problem[] = source[nameField] ? [] : [required(childPath(path, nameField))];
  problems.push(...fileMode(childPath(path, "defaultMode"), source.defaultMode));
  for (const [index, item] of (source.items ?? []).entries()) {
    const itemField = itemPath(childPath(path, "items"), index);
    if (!item.key) problems.push(required(childPath(itemField, "key")));
    if (!item.path) problems.push(required(childPath(itemField, "path")));
    else problems.push(...descendingPath(childPath(itemField, "path"), item.path));
    problems.push(...fileMode(childPath(itemField, "mode"), item.mode));
  }
  return problems;
}
