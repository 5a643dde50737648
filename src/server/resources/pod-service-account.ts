import type { IServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { isNotFound, PeapodError } from "../../base/errors.ts";
import { initAndAppContainers } from "../../kube/pod-containers.ts";
import type { Container, StoredPod, Volume } from "../../kube/types.ts";
import { randomSuffix } from "../random-suffix.ts";
import type { ApiContext } from "../request.ts";

/** Where programs look for their account's token: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/. */
const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";
/** An hour and a little: by the odd number Kubernetes' own tools tell this token from one that was asked for. */
const tokenSeconds = 3607;

/**
 * What the API server's ServiceAccount admission does to a new pod: it gets the account `default` unless it names one,
 * the account's `imagePullSecrets` unless it has its own, and, unless pod or account say no, a volume with a token,
 * the API server's authority and the namespace, mounted in every container that has nothing else there
 * (https://kubernetes.io/docs/concepts/security/service-accounts/). Throws Forbidden when the account is missing.
 */
export function applyServiceAccount(pod: StoredPod, { store }: Pick<ApiContext, "store">): void {
  const { spec } = pod;
  spec.serviceAccountName ||= "default";
  spec.serviceAccount = spec.serviceAccountName;
  const account = findAccount(pod, store);
  if ((spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets !== undefined) {
    spec.imagePullSecrets = account.imagePullSecrets;
  }
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod);
}

function findAccount({ metadata, spec }: StoredPod, store: ApiContext["store"]): IServiceAccount {
  const { name, namespace } = metadata;
  const accountName = spec.serviceAccountName ?? "";
  try {
    return store.get({ resource: "serviceaccounts", namespace, name: accountName }) as IServiceAccount;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new PeapodError(
      "Forbidden",
      `pods ${JSON.stringify(name)} is forbidden: error looking up service account ${namespace}/${accountName}: serviceaccount ${JSON.stringify(accountName)} not found`,
      { details: { name, kind: "pods" } },
    );
  }
}

function mountToken({ spec }: StoredPod): void {
  const volumes = spec.volumes ?? [];
  const present = volumes.find(({ name }) => name.startsWith(volumePrefix))?.name;
  const name = present ?? freeName(volumes);
  const needy = initAndAppContainers(spec).filter(
    ({ volumeMounts }: Container) => !volumeMounts?.some((mount) => mount.mountPath === mountPath),
  );
  for (const container of needy) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
  }
  if (needy.length > 0 && present === undefined) spec.volumes = [...volumes, accessVolume(name)];
}

function accessVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  };
}

function freeName(volumes: readonly Volume[]): string {
  const name = volumePrefix + randomSuffix();
  return volumes.some((volume) => volume.name === name) ? freeName(volumes) : name;
}
