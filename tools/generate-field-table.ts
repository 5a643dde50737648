import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as clientModels from "@kubernetes/client-node";

/**
 * Writes `src/kube/generated/field-table.ts`: every type that a kind of `roots` can hold, with its fields' names and
 * wire types, and the kinds that Kubernetes has at all; and `src/kube/generated/descriptions.ts`: what the API's
 * documentation says of each type and field.
 *
 * Names, references, quantities, enumerations and what is required come from the type declarations of
 * kubernetes-models; the width of integers, which TypeScript cannot say, from @kubernetes/client-node. Both are
 * generated from Kubernetes' OpenAPI document, so neither is a second opinion: a field that only one of them
 * knows stops the generator.
 */

const modelsFolder = join(import.meta.dirname, "../node_modules/kubernetes-models");
const apimachineryFolder = join(import.meta.dirname, "../node_modules/@kubernetes-models/apimachinery");

/**
 * Kinds whose fields the API server knows; a new kind is one more word here. A type whose name an earlier one has is
 * called by its group, too (`events.Event`).
 */
const roots = [
  "v1/{Pod,Namespace,Event,Node,ConfigMap,Secret,ServiceAccount,Endpoints,Service,PodTemplate,LimitRange}",
  "v1/{ResourceQuota,PersistentVolume,PersistentVolumeClaim,ReplicationController,Binding}",
  "apps/v1/{Deployment,ReplicaSet,StatefulSet,DaemonSet,ControllerRevision}",
  "batch/v1/{Job,CronJob}",
  "autoscaling/v1/Scale",
  "autoscaling/v2/HorizontalPodAutoscaler",
  "authentication.k8s.io/v1/{SelfSubjectReview,TokenRequest,TokenReview}",
  "authorization.k8s.io/v1/{LocalSubjectAccessReview,SelfSubjectAccessReview,SelfSubjectRulesReview}",
  "authorization.k8s.io/v1/SubjectAccessReview",
  "coordination.k8s.io/v1/Lease",
  "discovery.k8s.io/v1/EndpointSlice",
  "events.k8s.io/v1/Event",
  "networking.k8s.io/v1/{Ingress,IngressClass,NetworkPolicy}",
  "node.k8s.io/v1/RuntimeClass",
  "policy/v1/{PodDisruptionBudget,Eviction}",
  "rbac.authorization.k8s.io/v1/{Role,RoleBinding,ClusterRole,ClusterRoleBinding}",
  "scheduling.k8s.io/v1/PriorityClass",
  "storage.k8s.io/v1/StorageClass",
].flatMap((line) => {
  const [, folder = "", names = ""] = /^(.*)\/\{?([^{}]+)\}?$/.exec(line) ?? [];
  return names.split(",").map((name) => `${folder}/${name}`);
});

/** Types that TypeScript sees as mere strings or nothing, by the name of their declaration. */
const scalars: Record<string, string> = {
  string: "string",
  boolean: "bool",
  IIoK8sApimachineryPkgApiResourceQuantity: "Quantity",
  IIoK8sApimachineryPkgUtilIntstrIntOrString: "IntOrString",
  IIoK8sApimachineryPkgApisMetaV1Time: "Time",
  IIoK8sApimachineryPkgApisMetaV1MicroTime: "MicroTime",
  IIoK8sApimachineryPkgApisMetaV1FieldsV1: "any",
  IIoK8sApimachineryPkgRuntimeRawExtension: "any",
};

/** Fields whose type the declarations spell out, by the kind that it is. */
const spelledOut: Record<string, string> = {
  "StatefulSetSpec.volumeClaimTemplates": "v1/PersistentVolumeClaim",
};

interface ClientModel {
  getAttributeTypeMap(): { baseName: string; format: string }[];
}

/** `int32`, `int64` or `double`, as the OpenAPI document has it. */
function numberFormat(typeName: string, field: string): string {
  const models = clientModels as unknown as Record<string, ClientModel | undefined>;
  const name = typeName.slice(typeName.indexOf(".") + 1);
  const format = ["V1", "CoreV1", "V2", "DiscoveryV1", "EventsV1", "StorageV1", "RbacV1"]
    .flatMap((prefix) => models[`${prefix}${name}`]?.getAttributeTypeMap() ?? [])
    .find((attribute) => attribute.baseName === field)?.format;
  if (format === undefined || format === "") throw new Error(`no number format for ${typeName}.${field}`);
  return format === "double" ? "number" : format;
}

interface Declaration {
  readonly description: string;
  readonly fields: readonly { name: string; required: boolean; type: string; description: string }[];
  /** File specifier by imported name. */
  readonly imports: ReadonlyMap<string, string>;
}

/** One interface declaration of a file. */
function readDeclaration(file: string): Declaration {
  const text = readFileSync(file, "utf8");
  const match = /(?:\/\*\*((?:(?!\*\/).)*)\*\/\n)?export interface \w+[^{]*\{\n(.*?)^\}/ms.exec(text);
  const fieldPattern = /^(?: {4}\/\*\*((?:(?!\*\/).)*)\*\/\n)? {4}"([^"]+)"(\??): (.*?);\n(?= {4}["/]|$)/gms;
  const fields = [...(match?.[2] ?? "").matchAll(fieldPattern)].map((field) => ({
    name: field[2] ?? "",
    required: field[3] === "",
    type: (field[4] ?? "").replaceAll(/\s+/g, " "),
    description: plainText(field[1] ?? ""),
  }));
  const imports = new Map<string, string>();
  for (const found of text.matchAll(/^import \{ ([^}]+) \} from "([^"]+)"/gm)) {
    for (const name of (found[1] ?? "").split(", ")) imports.set(name, found[2] ?? "");
  }
  return { description: plainText(match?.[1] ?? ""), fields, imports };
}

/** The text of a documentation comment, without the stars and escapes that TypeScript needs. */
function plainText(comment: string): string {
  return comment
    .replaceAll(/^ *\* ?/gm, "")
    .replaceAll(/\\([*_/`@{}])/g, "$1")
    .trim();
}

function declarationFile(from: string, specifier: string): string {
  if (specifier.startsWith("@kubernetes-models/apimachinery/")) {
    return join(apimachineryFolder, `${specifier.slice("@kubernetes-models/apimachinery/".length)}.d.ts`);
  }
  return join(dirname(from), specifier.replace(/\.js$/, ".d.ts"));
}

interface Types {
  /** The table's line of every type by name. */
  readonly table: ReadonlyMap<string, string>;
  /** What the documentation says, by type name, then by field; the empty field is the type itself. */
  readonly descriptions: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** Everything reachable from `roots`. */
function collectTypes(): Types {
  const table = new Map<string, string>();
  const descriptions = new Map<string, Readonly<Record<string, string>>>();
  const names = new Map<string, string>();
  const visit = (file: string): string => {
    const known = names.get(file);
    if (known !== undefined) return known;
    const name = freeName(file, new Set(names.values()));
    names.set(file, name);
    const { description, fields, imports } = readDeclaration(file);
    const wireType = (type: string, field: string): string => {
      const list = /^Array<(.+)>$/.exec(type)?.[1];
      if (list !== undefined) return `[]${wireType(list, field)}`;
      const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
      if (map !== undefined) return `{}${wireType(map, field)}`;
      if (type === "number") return numberFormat(name, field);
      if (type.startsWith('"')) return `(${type.replaceAll('"', "").replaceAll(" | ", "|")})`;
      const scalar = scalars[type];
      if (scalar !== undefined) return scalar;
      const kind = spelledOut[`${name}.${field}`];
      if (kind !== undefined) return visit(join(modelsFolder, `${kind}.d.ts`));
      const specifier = imports.get(type);
      if (specifier === undefined) throw new Error(`unknown type ${type} of ${name}.${field}`);
      return visit(declarationFile(file, specifier));
    };
    const line = fields.map((field) => {
      const mark = field.required ? "!" : "";
      return `${field.name}${mark}:${wireType(field.type, field.name)}`;
    });
    table.set(name, line.join(" "));
    descriptions.set(name, {
      "": description,
      ...Object.fromEntries(fields.map((field) => [field.name, field.description])),
    });
    return name;
  };
  for (const root of roots) visit(join(modelsFolder, `${root}.d.ts`));
  return { table, descriptions };
}

/** The declaration's own name, or where another group has taken it, the group's and its. */
function freeName(file: string, taken: ReadonlySet<string>): string {
  const [group = "", , name = ""] = file
    .replace(/\.d\.ts$/, "")
    .split("/")
    .slice(-3);
  const candidates = [name, `${group.split(".")[0]}.${name}`];
  const free = candidates.find((candidate) => !taken.has(candidate));
  if (free === undefined) throw new Error(`no name is left for ${file}`);
  return free;
}

/** Every kind that Kubernetes' own API has, by apiVersion. */
function collectKinds(): Map<string, string[]> {
  const kinds = new Map<string, string[]>();
  const models = readFileSync(join(modelsFolder, "index.d.ts"), "utf8");
  const folders = [...models.matchAll(/from "\.\/([^"]+)\/index\.js"/g)].map((match) => match[1] ?? "");
  const visitFolder = (folder: string) => {
    const index = readFileSync(join(modelsFolder, folder, "index.d.ts"), "utf8");
    for (const match of index.matchAll(/from "\.\/([^"]+)\.js"/g)) {
      const target = match[1] ?? "";
      if (target.endsWith("/index")) {
        visitFolder(join(folder, target.slice(0, -"/index".length)));
        continue;
      }
      const text = readFileSync(join(modelsFolder, folder, `${target}.d.ts`), "utf8");
      const apiVersion = /^ {4}"apiVersion": "([^"]+)";/m.exec(text)?.[1];
      const kind = /^ {4}"kind": "([^"]+)";/m.exec(text)?.[1];
      if (apiVersion === undefined || kind === undefined || kind.endsWith("List")) continue;
      kinds.set(apiVersion, [...(kinds.get(apiVersion) ?? []), kind]);
    }
  };
  for (const folder of folders) visitFolder(folder);
  return kinds;
}

function packageVersion(folder: string): string {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}

/** The text of `src/kube/generated/field-table.ts`; the same packages give the same text. */
export function generateFieldTable(): string {
  const collected = collectTypes();
  const types = [...collected.table].sort(([a], [b]) => (a < b ? -1 : 1));
  const kinds = [...collectKinds()].sort(([a], [b]) => (a < b ? -1 : 1));
  const entry = ([key, value]: [string, string]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},`;
  return [
    `// Generated by tools/generate-field-table.ts from kubernetes-models ${packageVersion(modelsFolder)}; do not edit.`,
    "",
    "/** Fields of every type as `name:type`, `!` after a required name; read by src/kube/field-table.ts. */",
    "export const fieldTable: Readonly<Record<string, string>> = {",
    ...types.map(entry),
    "};",
    "",
    "/** Every kind of Kubernetes' own API, by apiVersion. */",
    "export const kindTable: Readonly<Record<string, string>> = {",
    ...kinds.map(([apiVersion, names]) => entry([apiVersion, [...new Set(names)].sort().join(" ")])),
    "};",
    "",
  ].join("\n");
}

/** The text of `src/kube/generated/descriptions.ts`. */
export function generateDescriptions(): string {
  const types = [...collectTypes().descriptions].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `// Generated by tools/generate-field-table.ts from kubernetes-models ${packageVersion(modelsFolder)}; do not edit.`,
    "",
    "/** What Kubernetes' documentation says of every type and field; the empty field is the type itself. */",
    "export const descriptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {",
    ...types.map(([name, texts]) => `  ${JSON.stringify(name)}: ${JSON.stringify(texts)},`),
    "};",
    "",
  ].join("\n");
}
