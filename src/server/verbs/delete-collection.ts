import { isNotFound } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { deleteObject, deleteOptions, requestsDryRun } from "../deletion.ts";
import { objectFilter } from "../list-options.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { resourceName } from "../resource.ts";
import { listObject } from "./list.ts";

/** DELETE of a collection: every object that the selectors let through, each as by its own DELETE. */
export function deleteCollection(request: ApiRequest): ApiAnswer {
  const { context, resource } = request;
  const options = deleteOptions(request);
  const dryRun = requestsDryRun(request);
  const { items } = context.store.list(resourceName(resource), objectFilter(request));
  const deleted: KubernetesObject[] = [];
  for (const { metadata } of items) {
    const one = { ...request, namespace: metadata.namespace ?? "", name: metadata.name };
    try {
      deleted.push(deleteObject(one, options, dryRun));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return {
    object: listObject(request, { resourceVersion: context.store.resourceVersion(), items: deleted }),
  };
}
