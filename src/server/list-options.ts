import { PeapodError } from "../base/errors.ts";
import { parseFieldSelector } from "../kube/field-selector.ts";
import { parseLabelSelector } from "../kube/label-selector.ts";
import type { KubernetesObject } from "../kube/types.ts";
import type { ObjectFilter } from "../store/types.ts";
import type { ApiRequest } from "./request.ts";

/** What the URL's namespace, `labelSelector` and `fieldSelector` let through. BadRequest for a broken selector. */
export function objectFilter(request: ApiRequest): ObjectFilter {
  const { resource, query, namespace } = request;
  const inNamespace = namespace === "" ? {} : { namespace };
  const labelText = query.get("labelSelector") ?? "";
  const fieldText = query.get("fieldSelector") ?? "";
  if (labelText === "" && fieldText === "") return inNamespace;

  const labels = parseLabelSelector(labelText);
  const fields = parseFieldSelector<KubernetesObject>(fieldText, {
    "metadata.name": (object) => object.metadata.name,
    ...(resource.namespaced ? { "metadata.namespace": (object) => object.metadata.namespace ?? "" } : {}),
    ...resource.selectableFields,
  });
  return { ...inNamespace, matches: (object) => labels(object.metadata.labels) && fields(object) };
}

/** A query parameter that is a whole number of at least `minimum`, or undefined when it is not given. */
export function wholeNumber(query: URLSearchParams, name: string, minimum = 0): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (!/^-?\d{1,15}$/.test(text) || value < minimum) {
    throw new PeapodError(
      "BadRequest",
      `${name}: Invalid value: ${JSON.stringify(text)}: must be an integer greater than or equal to ${minimum}`,
    );
  }
  return value;
}

/**
 * Refuses a `resourceVersion` that a list cannot honour: one from the future (504 as the API server), or an exact
 * one that is no longer the present, because only the present is kept.
 */
export function checkListVersion(query: URLSearchParams, current: string): void {
  const asked = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  if (!["", "Exact", "NotOlderThan"].includes(match)) {
    throw new PeapodError(
      "BadRequest",
      `resourceVersionMatch: Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`,
    );
  }
  if (asked === "") {
    if (match === "") return;
    throw new PeapodError(
      "BadRequest",
      "resourceVersionMatch is forbidden unless resourceVersion is provided",
    );
  }
  if (!/^\d{1,15}$/.test(asked)) {
    throw new PeapodError("BadRequest", `resourceVersion: Invalid value: ${JSON.stringify(asked)}`);
  }
  if (Number(asked) > Number(current)) {
    throw new PeapodError("Timeout", `Too large resource version: ${asked}, current: ${current}`);
  }
  if (match === "Exact" && asked !== current) {
    throw new PeapodError("Expired", `The resourceVersion for the provided list is too old.`);
  }
}
