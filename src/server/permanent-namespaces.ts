import { isConflict } from "../base/errors.ts";
import type { NewObject } from "../store/types.ts";
import { ensureNamespaceDefaults } from "./namespace-defaults.ts";
import type { ApiContext } from "./request.ts";
import { namespaces, permanentNamespaces } from "./resources/namespaces.ts";

/** Makes the namespaces that are always there; those that exist stay as they are. */
export function ensureNamespaces(context: ApiContext): void {
  for (const name of permanentNamespaces) {
    const object: NewObject = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    namespaces.prepareForCreate?.(object as never, context);
    try {
      context.store.create("namespaces", object);
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  // Every namespace has them, also those that an earlier version made, and with the authority of today.
  for (const { metadata } of context.store.list("namespaces").items) {
    if (metadata.deletionTimestamp === undefined) ensureNamespaceDefaults(context, metadata.name);
  }
}
