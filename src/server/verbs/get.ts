import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { objectKey, resourceName } from "../resource.ts";

/** GET of one object. */
export async function get(request: ApiRequest): Promise<ApiAnswer> {
  return { object: await readObject(request) };
}

/** The object that the request names, from wherever its kind is kept. NotFound if there is none. */
async function readObject(request: ApiRequest): Promise<KubernetesObject> {
  const { resource, namespace, name, context } = request;
  if (resource.listElsewhere === undefined) return context.store.get(objectKey(resource, namespace, name));
  const { items } = await resource.listElsewhere(request);
  const found = items.find(
    ({ metadata }) => metadata.name === name && (metadata.namespace ?? "") === namespace,
  );
  if (found !== undefined) return found;
  throw new PeapodError("NotFound", `${resourceName(resource)} ${JSON.stringify(name)} not found`, {
    details: { name, group: resource.group, kind: resource.plural },
  });
}
