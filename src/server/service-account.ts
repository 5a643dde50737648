import { isConflict } from "../base/errors.ts";
import type { ApiContext } from "./request.ts";

/** Makes the ServiceAccount that every namespace has; one that is there stays as it is. */
export function ensureServiceAccount(context: Pick<ApiContext, "store">, namespace: string): void {
  try {
    context.store.create("serviceaccounts", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "default", namespace },
    });
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}
