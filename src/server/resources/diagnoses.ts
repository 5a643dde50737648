import { PeapodError } from "../../base/errors.ts";
import type { ReachQuestion } from "../../diagnose/live/diagnosis.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { Resource } from "../resource.ts";

/**
 * Why a pod does not work, by what can be seen of it now: read-only, one per pod, under the pod's name
 * (docs/reference/why.md). Query: `from`, `to`, `address` ask whether and how a container can reach another.
 */
export const diagnoses: Resource = {
  group: "peapod.dev",
  version: "v1alpha1",
  kind: "Diagnosis",
  plural: "diagnoses",
  singular: "diagnosis",
  shortNames: [],
  namespaced: true,
  verbs: ["get"],
  subresources: {},
  selectableFields: {},
  columns: [],
  handlers: {
    async get({ context, namespace, name, query, scope }) {
      if (context.diagnoser === undefined)
        throw new PeapodError("ServiceUnavailable", "this server has no node to look at");
      const pod = context.store.get({ resource: "pods", namespace, name }) as unknown as StoredPod;
      return { object: await context.diagnoser.diagnose(pod, questionOf(query), scope) };
    },
  },
};

function questionOf(query: URLSearchParams): ReachQuestion | undefined {
  const from = query.get("from") ?? "";
  const to = query.get("to") ?? "";
  const address = query.get("address") ?? "";
  if (from !== "") return { from, ...(to === "" ? {} : { to }), ...(address === "" ? {} : { address }) };
  if (to === "" && address === "") return undefined;
  throw new PeapodError("BadRequest", "from is missing: name the container that wants to reach it");
}
