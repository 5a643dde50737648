import type { KubernetesObject } from "../../kube/types.ts";
import type { ApiRequest } from "../request.ts";
import type { Column } from "../resource.ts";

/**
 * The object as the client asked for it: itself, or a Table of one row
 * (https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#Table). A watch sends the columns only once.
 */
export function representObject(
  request: ApiRequest,
  object: KubernetesObject,
  options: { columns: boolean } = { columns: true },
): object {
  if (request.representation.as === "Object") return object;
  if (request.representation.as === "PartialObjectMetadata") return partialObject(object);
  const { resourceVersion, annotations } = object.metadata;
  // A bookmark is no object: it has a version and nothing to show.
  const isBookmark = object.metadata.name === undefined;
  const metadata = { resourceVersion, ...(isBookmark && annotations !== undefined ? { annotations } : {}) };
  return table(request, metadata, isBookmark ? [] : [object], options.columns);
}

/** The list as the client asked for it. */
export function representList(
  request: ApiRequest,
  list: { metadata: object; items: readonly KubernetesObject[] },
): object {
  const { as } = request.representation;
  if (as === "Object") return list;
  if (as === "Table") return table(request, list.metadata, list.items, true);
  return {
    kind: "PartialObjectMetadataList",
    apiVersion: "meta.k8s.io/v1",
    metadata: list.metadata,
    items: list.items.map(partialObject),
  };
}

function table(
  request: ApiRequest,
  metadata: object,
  objects: readonly KubernetesObject[],
  columns: boolean,
): object {
  const now = request.context.scope.clock.now();
  const { columns: all } = request.resource;
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: columns ? all.map(columnDefinition) : [],
    rows: objects.map((object) => ({
      cells: all.map((column) => column.cell(object, now)),
      ...rowObject(request, object),
    })),
  };
}

function columnDefinition({ name, type, format = "", description, priority }: Column): object {
  return { name, type, format, description, priority };
}

function rowObject(request: ApiRequest, object: KubernetesObject): object {
  const { representation } = request;
  if (representation.as !== "Table" || representation.includeObject === "None") return {};
  if (representation.includeObject === "Object") return { object };
  return { object: partialObject(object) };
}

function partialObject({ metadata }: KubernetesObject): object {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
}
