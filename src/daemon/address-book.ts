import type { AddressBook, KnownObject } from "../channels/types.ts";
import type { EndpointSlice, Service, StoredPod } from "../kube/types.ts";
import { serviceForwards } from "../node/services/service-forwards.ts";
import type { Store } from "../store/types.ts";

/** For how long what was read of the store is used: a list of channels asks hundreds of times in a moment. */
const freshMilliseconds = 500;

/** Whose an address is, by what the API has of pods, Services and this node. */
export function createAddressBook(
  store: Pick<Store, "list">,
  node: { readonly name: string; readonly addresses: () => readonly string[] },
): AddressBook {
  let read: { readonly at: number; readonly objects: ReadonlyMap<string, KnownObject> } | undefined;
  const objects = () => {
    if (read === undefined || performance.now() - read.at > freshMilliseconds) {
      const own = { kind: "Node", namespace: "", name: node.name } as const;
      const nodes = node.addresses().map((ip) => [ip, own] as const);
      read = { at: performance.now(), objects: new Map([...nodes, ...podsOf(store), ...servicesOf(store)]) };
    }
    return read.objects;
  };
  return {
    find(ip, port, protocol) {
      const all = objects();
      return (port === undefined ? undefined : all.get(`${ip}:${port}/${protocol}`)) ?? all.get(ip);
    },
  };
}

function podsOf(store: Pick<Store, "list">): readonly (readonly [string, KnownObject])[] {
  return (store.list("pods").items as unknown as readonly StoredPod[]).flatMap(
    ({ metadata, spec, status }) => {
      const ip = spec.hostNetwork === true ? undefined : status?.podIP;
      if (ip === undefined) return [];
      return [[ip, { kind: "Pod", namespace: metadata.namespace, name: metadata.name }] as const];
    },
  );
}

function servicesOf(store: Pick<Store, "list">): readonly (readonly [string, KnownObject])[] {
  const pods = new Map(podsOf(store));
  const services = store.list("services").items as unknown as readonly Service[];
  const slices = store.list("endpointslices.discovery.k8s.io").items as unknown as readonly EndpointSlice[];
  return serviceForwards(services, slices, undefined).flatMap((forward) => {
    const { namespace, name, protocol, port, clusterIPs, backends } = forward;
    const names = backends.flatMap(({ ip }) => pods.get(ip)?.name ?? []);
    const isAPI = namespace === "default" && name === "kubernetes";
    const object: KnownObject = { kind: "Service", namespace, name, ...(isAPI ? {} : { pods: names }) };
    return clusterIPs.map((ip) => [`${ip}:${port}/${protocol}`, object] as const);
  });
}
