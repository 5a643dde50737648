import { isConflict, isNotFound } from "../base/errors.ts";
import type { KubernetesObject } from "../kube/types.ts";
import type { NewObject } from "../store/types.ts";
import type { ApiContext } from "./request.ts";
import { fillTokenSecrets } from "./token-secrets.ts";

/** Names of what every namespace has. */
const defaultAccount = "default";
const rootAuthority = "kube-root-ca.crt";

type Context = Pick<ApiContext, "store" | "access">;

/**
 * Makes what every namespace has: the ServiceAccount `default`, which stays as it is when it is there, and the
 * ConfigMap `kube-root-ca.crt` with the authority of the API server's certificate, which is brought up to date.
 */
export function ensureNamespaceDefaults(context: Context, namespace: string): void {
  createIfMissing(context, "serviceaccounts", {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: defaultAccount, namespace },
  });
  fillTokenSecrets(context, namespace);
  const data = { "ca.crt": context.access.authority };
  const description = "The authority that signed the API server's certificate";
  const metadata = {
    name: rootAuthority,
    namespace,
    annotations: { "kubernetes.io/description": description },
  };
  const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
  if (createIfMissing(context, "configmaps", configMap)) return;
  const key = { resource: "configmaps", namespace, name: rootAuthority };
  context.store.update(key, (current) => ({ ...current, data }));
}

/** Makes anew what every namespace has when it was deleted and its namespace is to stay. */
export function restoreNamespaceDefault({ kind, metadata }: KubernetesObject, context: Context): void {
  const { name, namespace = "" } = metadata;
  const isDefault = name === (kind === "ServiceAccount" ? defaultAccount : rootAuthority);
  if (isDefault && staysThere(context, namespace)) ensureNamespaceDefaults(context, namespace);
}

/** Leaves the authority as it is, whatever somebody wants to write there. */
export function keepRootAuthority(next: KubernetesObject, current: KubernetesObject): void {
  if (current.metadata.name !== rootAuthority) return;
  next.data = current.data;
  delete next.binaryData;
}

function staysThere({ store }: Context, namespace: string): boolean {
  try {
    const { metadata } = store.get({ resource: "namespaces", namespace: "", name: namespace });
    return metadata.deletionTimestamp === undefined;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Whether it had to be made. */
function createIfMissing({ store }: Context, resource: string, object: NewObject): boolean {
  try {
    store.create(resource, object);
    return true;
  } catch (error) {
    if (!isConflict(error)) throw error;
    return false;
  }
}
