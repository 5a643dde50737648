import { ifFound } from "../../base/errors.ts";
import type { ConfigMap, Secret } from "../../kube/types.ts";
import type { Store } from "../../store/types.ts";

/** The API objects of one namespace that a pod's configuration may refer to; undefined for one that is not there. */
export interface ConfigurationObjects {
  configMap(name: string): Pick<ConfigMap, "data" | "binaryData"> | undefined;
  secret(name: string): Pick<Secret, "data"> | undefined;
}

/** What the node gives to a container that sets no limit, by resource name: `cpu`, `memory` … */
export type Allocatable = Readonly<Record<string, string | number>>;

/** The objects as the API has them at the time of asking. */
export function objectsIn(namespace: string, store: Pick<Store, "get">): ConfigurationObjects {
  const find = (resource: string, name: string) => ifFound(() => store.get({ resource, namespace, name }));
  return {
    configMap: (name) => find("configmaps", name) as ConfigMap | undefined,
    secret: (name) => find("secrets", name) as Secret | undefined,
  };
}
