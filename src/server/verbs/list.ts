import type { KubernetesObject } from "../../kube/types.ts";
import type { ObjectFilter, ObjectList } from "../../store/types.ts";
import { checkListVersion, objectFilter, wholeNumber } from "../list-options.ts";
import type { Page } from "../list-pages.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { apiVersionOf, resourceName } from "../resource.ts";

/** GET of a collection, whole or in parts (`limit`, `continue`). */
export async function list(request: ApiRequest): Promise<ApiAnswer> {
  const { context, query } = request;
  const limit = wholeNumber(query, "limit") ?? 0;
  const token = query.get("continue") ?? "";
  if (token !== "") return { object: listObject(request, context.pages.next(token, limit)) };

  const filter = objectFilter(request);
  checkListVersion(query, context.store.resourceVersion());
  const found = await readList(request, filter);
  const { json } = found;
  if (json !== undefined && request.representation.as === "Object" && (limit === 0 || json.length <= limit)) {
    return { json: listText(request, found.resourceVersion, json) };
  }
  const page = context.pages.first(found.resourceVersion, found.items, limit);
  return { object: listObject(request, page, found.annotations) };
}

/** A `PodList` and the like. The API puts no annotations on lists; the ones here say what a list lacks. */
export function listObject(
  request: ApiRequest,
  page: Pick<Page, "resourceVersion" | "items"> & Partial<Page>,
  annotations?: Readonly<Record<string, string>>,
): object {
  const { resource, query } = request;
  const selected = (query.get("labelSelector") ?? "") + (query.get("fieldSelector") ?? "") !== "";
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: {
      resourceVersion: page.resourceVersion,
      ...(page.continueToken === undefined ? {} : { continue: page.continueToken }),
      // As the API server: the number is only known where nothing is filtered.
      ...(page.continueToken === undefined || selected ? {} : { remainingItemCount: page.remaining }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    items: page.items,
  };
}

/** A whole list out of its items' JSON, which are not looked at: most of the work of a long list is to parse and print. */
function listText(request: ApiRequest, resourceVersion: string, json: readonly string[]): string {
  const empty = JSON.stringify(listObject(request, { resourceVersion, items: [] }));
  return `${empty.slice(0, -"]}".length)}${json.join(",")}]}`;
}

async function readList(
  request: ApiRequest,
  filter: ObjectFilter,
): Promise<ObjectList & { annotations?: Readonly<Record<string, string>> }> {
  const { resource, context } = request;
  if (resource.listElsewhere === undefined) return context.store.list(resourceName(resource), filter);
  const { items, annotations } = await resource.listElsewhere(request);
  const matching = items.filter((item) => passes(item, filter));
  return {
    resourceVersion: context.store.resourceVersion(),
    items: matching,
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function passes(object: KubernetesObject, filter: ObjectFilter): boolean {
  if (filter.namespace !== undefined && object.metadata.namespace !== filter.namespace) return false;
  return filter.matches?.(object) ?? true;
}
