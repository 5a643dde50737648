import { initAndAppContainers } from "../../kube/pod-containers.ts";
import type { Container, StoredPod, Volume } from "../../kube/types.ts";
import { addressFields } from "./field-value.ts";

/** What a pod's configuration is read from, so that a change can be taken to the pods it concerns. */
export interface ConfigurationReferences {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
}

/** Names of all objects that the pod's containers and volumes refer to. */
export function referencesOf(pod: StoredPod): ConfigurationReferences {
  const { spec } = pod;
  const configMaps = new Set<string | undefined>();
  const secrets = new Set<string | undefined>();
  const claims = new Set<string | undefined>();
  for (const container of initAndAppContainers(spec)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      configMaps.add(configMapRef?.name);
      secrets.add(secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      configMaps.add(valueFrom?.configMapKeyRef?.name);
      secrets.add(valueFrom?.secretKeyRef?.name);
    }
  }
  for (const volume of spec.volumes ?? []) {
    configMaps.add(volume.configMap?.name);
    secrets.add(volume.secret?.secretName);
    claims.add(claimName(pod, volume));
    for (const source of volume.projected?.sources ?? []) {
      configMaps.add(source.configMap?.name);
      secrets.add(source.secret?.name);
    }
  }
  return { configMaps: names(configMaps), secrets: names(secrets), claims: names(claims) };
}

/** The claim behind a volume; an `ephemeral` volume's is named after pod and volume. */
export function claimName(pod: StoredPod, volume: Volume): string | undefined {
  if (volume.ephemeral !== undefined) return `${pod.metadata.name}-${volume.name}`;
  return volume.persistentVolumeClaim?.claimName;
}

/** Whether the container can only be made once the pod has its addresses. */
export function needsAddresses(container: Container): boolean {
  return (container.env ?? []).some(({ valueFrom }) =>
    addressFields.includes(valueFrom?.fieldRef?.fieldPath ?? ""),
  );
}

function names(found: ReadonlySet<string | undefined>): ReadonlySet<string> {
  return new Set([...found].filter((name) => name !== undefined));
}
