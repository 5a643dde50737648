import type { Subresource } from "../resource.ts";

/** A `/proxy` subresource as discovery shows it. Its requests have routes of their own (src/server/proxy/routes.ts). */
export function proxied(kind: string): Subresource {
  return { kind, verbs: ["create", "delete", "get", "patch", "update"], handlers: {} };
}
