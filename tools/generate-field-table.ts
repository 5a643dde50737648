import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as clientModels from "@kubernetes/client-node";

/**
 * Writes `src/kube/generated/field-table.ts`: every type that a Pod, Namespace, Event or Node can hold, with its
 * fields' names and wire types, and the kinds that Kubernetes has at all.
 *
 * Names, references, quantities, enumerations and what is required come from the type declarations of
 * kubernetes-models; the width of integers, which TypeScript cannot say, from @kubernetes/client-node. Both are
 * generated from Kubernetes' OpenAPI document, so neither is a second opinion: a field that only one of them
 * knows stops the generator.
 */

const modelsFolder = join(import.meta.dirname, "../node_modules/kubernetes-models");
const apimachineryFolder = join(import.meta.dirname, "../node_modules/@kubernetes-models/apimachinery");

/** Objects whose fields a manifest may hold in this version; a new kind is one more line here. */
const roots = ["v1/Pod", "v1/Namespace", "v1/Event", "v1/Node"];

/** Types that TypeScript sees as mere strings or nothing, by the name of their declaration. */
const scalars: Record<string, string> = {
  string: "string",
  boolean: "bool",
  IIoK8sApimachineryPkgApiResourceQuantity: "Quantity",
  IIoK8sApimachineryPkgUtilIntstrIntOrString: "IntOrString",
  IIoK8sApimachineryPkgApisMetaV1Time: "Time",
  IIoK8sApimachineryPkgApisMetaV1MicroTime: "MicroTime",
  IIoK8sApimachineryPkgApisMetaV1FieldsV1: "any",
};

interface ClientModel {
  getAttributeTypeMap(): { baseName: string; format: string }[];
}

/** `int32`, `int64` or `double`, as the OpenAPI document has it. */
function numberFormat(typeName: string, field: string): string {
  const models = clientModels as unknown as Record<string, ClientModel | undefined>;
  const model = models[`V1${typeName}`] ?? models[`CoreV1${typeName}`];
  const format = model?.getAttributeTypeMap().find((attribute) => attribute.baseName === field)?.format;
  if (format === undefined || format === "") throw new Error(`no number format for ${typeName}.${field}`);
  return format === "double" ? "number" : format;
}

/** One interface declaration: its file and its fields as `name`, `required`, `type` in TypeScript. */
function readDeclaration(file: string): {
  fields: { name: string; required: boolean; type: string }[];
  imports: Map<string, string>;
} {
  const text = readFileSync(file, "utf8").replaceAll(/ *\/\*\*.*?\*\/\n/gs, "");
  const body = /export interface \w+[^{]*\{\n(.*?)^\}/ms.exec(text)?.[1] ?? "";
  const fields = [...body.matchAll(/^ {4}"([^"]+)"(\??): (.*?);\n(?= {4}"|$)/gms)].map((match) => ({
    name: match[1] ?? "",
    required: match[2] === "",
    type: (match[3] ?? "").replaceAll(/\s+/g, " "),
  }));
  const imports = new Map<string, string>();
  for (const match of text.matchAll(/^import \{ ([^}]+) \} from "([^"]+)"/gm)) {
    for (const name of (match[1] ?? "").split(", ")) imports.set(name, match[2] ?? "");
  }
  return { fields, imports };
}

function declarationFile(from: string, specifier: string): string {
  if (specifier.startsWith("@kubernetes-models/apimachinery/")) {
    return join(apimachineryFolder, `${specifier.slice("@kubernetes-models/apimachinery/".length)}.d.ts`);
  }
  return join(dirname(from), specifier.replace(/\.js$/, ".d.ts"));
}

/** The table's lines, by type name, of everything reachable from `roots`. */
function collectTypes(): Map<string, string> {
  const table = new Map<string, string>();
  const files = new Map<string, string>();
  const visit = (typeName: string, file: string) => {
    const known = files.get(typeName);
    if (known !== undefined && known !== file) throw new Error(`two types are named ${typeName}`);
    if (known !== undefined) return;
    files.set(typeName, file);
    const { fields, imports } = readDeclaration(file);
    const wireType = (type: string, field: string): string => {
      const list = /^Array<(.+)>$/.exec(type)?.[1];
      if (list !== undefined) return `[]${wireType(list, field)}`;
      const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
      if (map !== undefined) return `{}${wireType(map, field)}`;
      if (type === "number") return numberFormat(typeName, field);
      if (type.startsWith('"')) return `(${type.replaceAll('"', "").replaceAll(" | ", "|")})`;
      const scalar = scalars[type];
      if (scalar !== undefined) return scalar;
      const specifier = imports.get(type);
      if (specifier === undefined) throw new Error(`unknown type ${type} of ${typeName}.${field}`);
      const target = declarationFile(file, specifier);
      const name = /(\w+)\.d\.ts$/.exec(target)?.[1] ?? "";
      visit(name, target);
      return name;
    };
    const line = fields.map(
      ({ name, required, type }) => `${name}${required ? "!" : ""}:${wireType(type, name)}`,
    );
    table.set(typeName, line.join(" "));
  };
  for (const root of roots) {
    const name = root.split("/").at(-1) ?? "";
    visit(name, join(modelsFolder, `${root}.d.ts`));
  }
  return table;
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
  const types = [...collectTypes()].sort(([a], [b]) => (a < b ? -1 : 1));
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
