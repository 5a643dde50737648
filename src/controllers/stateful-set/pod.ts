import type { PodTemplateSpec } from "../../kube/types.ts";
import { podOf } from "../pods.ts";
import { revisionLabel } from "../revisions.ts";
import type { Action, NewObject } from "../types.ts";
import type { StoredStatefulSet } from "./stateful-set.ts";

/** Name of the claim that the pod with that number has by one of the set's templates. */
export function claimName(set: StoredStatefulSet, template: string, ordinal: number): string {
  return `${template}-${set.metadata.name}-${ordinal}`;
}

/**
 * The steps that make the pod with that number of a revision's template, its claims first; claims that are there stay
 * (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage).
 */
export function createMember(
  set: StoredStatefulSet,
  ordinal: number,
  revision: { readonly name: string; readonly template: PodTemplateSpec },
  hasClaim: (name: string) => boolean,
): readonly Action[] {
  const name = `${set.metadata.name}-${ordinal}`;
  const subject = `Pod ${name} in StatefulSet ${set.metadata.name}`;
  const claims = (set.spec.volumeClaimTemplates ?? []).map((template) => newClaim(set, template, ordinal));
  return [
    ...claims
      .filter(({ metadata }) => !hasClaim(String(metadata.name)))
      .map(
        (object): Action => ({
          do: "create",
          resource: "persistentvolumeclaims",
          object,
          event: { reason: "SuccessfulCreate", message: `create Claim {name} ${subject} success` },
          failure: {
            reason: "FailedCreate",
            message: `create Claim ${object.metadata.name} for ${subject} failed error: {error}`,
          },
        }),
      ),
    {
      do: "create",
      resource: "pods",
      object: podOf(set, withIdentity(set, name, ordinal, revision.template), {
        name,
        labels: {
          "statefulset.kubernetes.io/pod-name": name,
          "apps.kubernetes.io/pod-index": String(ordinal),
          [revisionLabel]: revision.name,
        },
      }),
      event: { reason: "SuccessfulCreate", message: `create ${subject} successful` },
      failure: { reason: "FailedCreate", message: `create ${subject} failed error: {error}` },
    },
  ];
}

type ClaimTemplate = NonNullable<StoredStatefulSet["spec"]["volumeClaimTemplates"]>[number];

function newClaim(set: StoredStatefulSet, template: ClaimTemplate, ordinal: number): NewObject {
  const { apiVersion, kind, metadata } = set;
  const isDeletedWithSet = set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === "Delete";
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: claimName(set, template.metadata?.name ?? "", ordinal),
      labels: { ...template.metadata?.labels, ...set.spec.selector?.matchLabels },
      annotations: { ...template.metadata?.annotations },
      ...(isDeletedWithSet ? { ownerReferences: [owner] } : {}),
    },
    spec: template.spec,
  };
}

/** Name and storage that stay the same whichever pod has that number. */
function withIdentity(
  set: StoredStatefulSet,
  name: string,
  ordinal: number,
  template: PodTemplateSpec,
): PodTemplateSpec {
  if (template.spec === undefined) return template;
  const templates = (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name ?? "");
  const others = (template.spec.volumes ?? []).filter((volume) => !templates.includes(volume.name));
  const claimed = templates.map((volume) => ({
    name: volume,
    persistentVolumeClaim: { claimName: claimName(set, volume, ordinal), readOnly: false },
  }));
  const { serviceName = "" } = set.spec;
  return {
    ...template,
    spec: {
      ...template.spec,
      hostname: name,
      ...(serviceName === "" ? {} : { subdomain: serviceName }),
      volumes: [...others, ...claimed],
    },
  };
}
