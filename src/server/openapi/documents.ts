import { createHash } from "node:crypto";
import { PeapodError } from "../../base/errors.ts";
import { channelDescriptions } from "../../kube/channel-fields.ts";
import { fieldsOf } from "../../kube/field-table.ts";
import { basePath } from "../discovery.ts";
import type { JSONObject } from "../http/body.ts";
import { type Resource, typeOf } from "../resource.ts";
import { pathsOf } from "./paths.ts";
import { type Descriptions, type Dialect, schemaName, schemasOf, version2, version3 } from "./schemas.ts";

/**
 * The OpenAPI documents (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition), made
 * from the field table when somebody asks for one.
 */
export class OpenAPIDocuments {
  readonly #byPath: ReadonlyMap<string, readonly Resource[]>;
  readonly #version: string;
  readonly #made = new Map<string, Promise<string>>();

  constructor(resources: readonly Resource[], version: string) {
    this.#byPath = Map.groupBy(resources, (resource) => basePath(resource).slice(1));
    this.#version = version;
  }

  /** `/openapi/v3`: where each group's document is; the URL changes with its content, so clients may keep it. */
  index(): object {
    const paths = [...this.#byPath.keys()].map((path) => {
      const hash = createHash("sha256").update(`${this.#version} ${path}`).digest("hex").toUpperCase();
      return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
    });
    return { paths: Object.fromEntries(paths) };
  }

  /** JSON of the document of one group and version, named as in the index (`api/v1`). NotFound for others. */
  group(path: string): Promise<string> {
    const resources = this.#byPath.get(path);
    if (resources === undefined) {
      throw new PeapodError("NotFound", "the server could not find the requested resource");
    }
    return this.#make(path, async () => ({
      openapi: "3.0.0",
      info: this.#info(),
      paths: Object.assign({}, ...resources.map(pathsOf)),
      components: { schemas: await schemas(resources, version3) },
    }));
  }

  /** The one document of version 2, with every group. */
  async all(): Promise<JSONObject> {
    const resources = [...this.#byPath.values()].flat();
    return {
      swagger: "2.0",
      info: this.#info(),
      paths: Object.assign({}, ...resources.map(pathsOf)),
      definitions: await schemas(resources, version2),
    };
  }

  #info(): object {
    return { title: "Kubernetes", version: this.#version };
  }

  #make(key: string, make: () => Promise<object>): Promise<string> {
    const made = this.#made.get(key) ?? make().then((document) => JSON.stringify(document));
    this.#made.set(key, made);
    return made;
  }
}

/** The schemas that the resources need; the kinds themselves say which kind they are. */
async function schemas(resources: readonly Resource[], dialect: Dialect): Promise<Record<string, object>> {
  // Half a megabyte of text that nothing else needs.
  const { descriptions } = (await import("../../kube/generated/descriptions.ts")) as {
    descriptions: Descriptions;
  };
  const known = resources.filter((resource) => fieldsOf(typeOf(resource)) !== undefined);
  const subtypes = resources.flatMap(({ subresources }) =>
    Object.values(subresources).flatMap(({ kind }) => (fieldsOf(kind) === undefined ? [] : [kind])),
  );
  const types = [...known.map(typeOf), ...subtypes, "DeleteOptions"];
  const all = schemasOf(types, { ...descriptions, ...channelDescriptions }, dialect);
  for (const resource of known) {
    const { group, version, kind } = resource;
    const name = schemaName(typeOf(resource));
    const marks = { "x-kubernetes-group-version-kind": [{ group, kind, version }] };
    all[name] = { ...all[name], ...marks };
    all[`${name}List`] = {
      description: `${kind}List is a list of ${kind}.`,
      type: "object",
      required: ["items"],
      properties: { items: { type: "array", items: { $ref: `${dialect.prefix}${name}` } } },
      "x-kubernetes-group-version-kind": [{ group, kind: `${kind}List`, version }],
    };
  }
  return all;
}
