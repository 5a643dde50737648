import type { Event } from "../../kube/types.ts";
import { invalid, type Problem } from "../problems.ts";

/** Rules for an Event of `v1` beside its metadata: it stands in the namespace of what it is about. */
export function validateEvent(event: Event): Problem[] {
  const about = event.involvedObject?.namespace ?? "";
  // An event about a cluster-scoped object (a node) stands in the namespace `default`.
  const own = event.metadata?.namespace;
  if (own === undefined || own === about || (about === "" && own === "default")) return [];
  return [invalid("involvedObject.namespace", about, "does not match event.namespace")];
}
