import { describe, expect, test } from "vitest";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import { ago, now, podOfOwner, storedObject } from "../fake-objects.ts";
import type { Action, ObjectReader } from "../types.ts";
import { endpointsController } from "./controller.ts";

const ports = [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }];
const web = (spec: object = {}, metadata: object = {}) =>
  storedObject(
    "v1",
    "Service",
    "web",
    { clusterIP: "10.96.0.7", selector: { app: "web" }, ports, ...spec },
    metadata,
  );

function pod(
  name: string,
  ip: string,
  state: Parameters<typeof podOfOwner>[2] = {},
  spec: object = {},
): StoredPod {
  const made = podOfOwner(undefined, name, state);
  return { ...made, spec: { ...made.spec, ...spec }, status: { ...made.status, podIP: ip } };
}

/** Holds objects by resource and carries plans out on them. */
class Objects implements ObjectReader {
  readonly kept: Record<string, KubernetesObject[]> = {
    pods: [],
    endpoints: [],
    "endpointslices.discovery.k8s.io": [],
  };

  get({ resource, name }: { resource: string; name: string }): KubernetesObject | undefined {
    return this.kept[resource]?.find(({ metadata }) => metadata.name === name);
  }

  list(resource: string, filter: { matches?: (object: KubernetesObject) => boolean } = {}) {
    const all = this.kept[resource] ?? [];
    return { resourceVersion: "1", items: all.filter((object) => filter.matches?.(object) ?? true) };
  }

  // biome-ignore lint/suspicious/noExplicitAny: read field by field
  get slices(): any[] {
    return this.kept["endpointslices.discovery.k8s.io"] ?? [];
  }

  reconcile(service: KubernetesObject): readonly Action[] {
    const { actions } = endpointsController.plan(service, this, now, undefined);
    for (const action of actions) {
      if (action.do === "create") {
        const made = this.kept[action.resource]?.length ?? 0;
        const name = action.object.metadata.name ?? `${action.object.metadata.generateName}${made}`;
        const metadata = { uid: `uid-${name}`, ...action.object.metadata, name };
        this.kept[action.resource]?.push({ ...action.object, metadata } as unknown as KubernetesObject);
      } else if (action.do === "patch") {
        const object = this.get(action);
        const { metadata, ...rest } = action.patch as { metadata: { labels: object } };
        const labels = Object.entries({ ...object?.metadata.labels, ...metadata.labels });
        Object.assign(object ?? {}, rest);
        if (object) object.metadata.labels = Object.fromEntries(labels.filter(([, value]) => value !== null));
      } else if (action.do === "delete") {
        this.kept[action.resource] = (this.kept[action.resource] ?? []).filter(
          ({ metadata }) => metadata.name !== action.name,
        );
      }
    }
    return actions;
  }
}

function withPods(...pods: StoredPod[]): Objects {
  const objects = new Objects();
  objects.kept.pods = pods as unknown as KubernetesObject[];
  return objects;
}

describe("the pods behind a Service", () => {
  test("in the slice by their readiness, in Endpoints without those that end; a second plan has nothing to do", () => {
    const objects = withPods(
      pod("ready", "10.0.0.1", { readyFor: 9 }),
      pod("unready", "10.0.0.2"),
      pod("ending", "10.0.0.3", { readyFor: 9, deletionTimestamp: ago(1) }),
      pod("ended", "10.0.0.4", { phase: "Succeeded" }),
      pod("other", "10.0.0.5", { readyFor: 9, labels: { app: "other" } }),
      pod("new", "", {}),
    );
    objects.reconcile(web({}, { labels: { tier: "front" } }));
    expect(objects.slices).toMatchObject([
      {
        metadata: {
          labels: {
            tier: "front",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
          },
          ownerReferences: [{ kind: "Service", name: "web", controller: true }],
        },
        addressType: "IPv4",
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
        endpoints: [
          { addresses: ["10.0.0.3"], conditions: { ready: false, serving: true, terminating: true } },
          {
            addresses: ["10.0.0.1"],
            conditions: { ready: true, serving: true, terminating: false },
            targetRef: { kind: "Pod", name: "ready", uid: "uid-ready", namespace: "default" },
          },
          { addresses: ["10.0.0.2"], conditions: { ready: false, serving: false, terminating: false } },
        ],
      },
    ]);
    expect(objects.kept.endpoints).toMatchObject([
      {
        subsets: [
          {
            addresses: [{ ip: "10.0.0.1" }],
            notReadyAddresses: [{ ip: "10.0.0.2" }],
            ports: [{ name: "http", port: 8080, protocol: "TCP" }],
          },
        ],
      },
    ]);
    expect(objects.reconcile(web({}, { labels: { tier: "front" } }))).toEqual([]);
  });

  test("nobody: one empty slice, which the first pod then gets", () => {
    const objects = withPods();
    objects.reconcile(web());
    expect(objects.slices).toMatchObject([{ endpoints: [], ports: [] }]);
    const { name } = objects.slices[0].metadata;
    objects.kept.pods = [pod("a", "10.0.0.1", { readyFor: 9 }) as unknown as KubernetesObject];
    objects.reconcile(web());
    expect(objects.slices).toMatchObject([{ metadata: { name }, endpoints: [{ addresses: ["10.0.0.1"] }] }]);
  });

  test("a named port is each pod's own: a slice for each number", () => {
    const named = (containerPort: number) => ({
      containers: [{ name: "main", ports: [{ name: "web", containerPort }] }],
    });
    const service = web({ ports: [{ name: "http", port: 80, targetPort: "web" }] });
    const objects = withPods(
      pod("a", "10.0.0.1", { readyFor: 9 }, named(81)),
      pod("b", "10.0.0.2", { readyFor: 9 }, named(82)),
    );
    objects.reconcile(service);
    expect(objects.slices.map((slice) => [slice.ports[0].port, slice.endpoints[0].addresses[0]])).toEqual([
      [81, "10.0.0.1"],
      [82, "10.0.0.2"],
    ]);
    objects.kept.pods = (objects.kept.pods ?? []).slice(1);
    const kept = objects.slices[1].metadata.name;
    objects.reconcile(service);
    expect(objects.slices.map(({ metadata }) => metadata.name)).toEqual([kept]);
  });

  test("publishNotReadyAddresses makes all ready; hostname and subdomain make a name; a headless one is marked", () => {
    const objects = withPods(pod("a", "10.0.0.1", {}, { hostname: "alpha", subdomain: "web" }));
    objects.reconcile(web({ clusterIP: "None", publishNotReadyAddresses: true }));
    expect(objects.slices).toMatchObject([
      {
        metadata: { labels: { "service.kubernetes.io/headless": "" } },
        endpoints: [{ hostname: "alpha", conditions: { ready: true, serving: false } }],
      },
    ]);
  });

  test("labels that the Service loses go from its slice", () => {
    const objects = withPods();
    objects.reconcile(web({}, { labels: { tier: "front" } }));
    objects.reconcile(web());
    expect(objects.slices[0].metadata.labels).not.toHaveProperty("tier");
  });
});

describe("a Service without selector", () => {
  const service = web({ selector: undefined });
  const endpoints = (metadata: object = {}) => ({
    ...storedObject<KubernetesObject>("v1", "Endpoints", "web", undefined, metadata),
    subsets: [
      { addresses: [{ ip: "192.0.2.1" }], notReadyAddresses: [{ ip: "192.0.2.2" }], ports: [{ port: 81 }] },
    ],
  });

  test("its Endpoints are mirrored in a slice, and go with them", () => {
    const objects = withPods();
    objects.kept.endpoints = [endpoints()];
    objects.reconcile(service);
    expect(objects.slices).toMatchObject([
      {
        metadata: {
          labels: {
            "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
          },
        },
        ports: [{ name: "", port: 81, protocol: "TCP" }],
        endpoints: [
          { addresses: ["192.0.2.1"], conditions: { ready: true } },
          { addresses: ["192.0.2.2"], conditions: { ready: false } },
        ],
      },
    ]);
    expect(objects.reconcile(service)).toEqual([]);
    objects.kept.endpoints = [];
    objects.reconcile(service);
    expect(objects.slices).toEqual([]);
  });

  test("Endpoints that ask not to be, and slices that somebody wrote, are left alone", () => {
    const objects = withPods();
    objects.kept.endpoints = [endpoints({ labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } })];
    objects.slices.push(
      storedObject("discovery.k8s.io/v1", "EndpointSlice", "mine", undefined, {
        labels: { "kubernetes.io/service-name": "web" },
      }),
    );
    expect(objects.reconcile(service)).toEqual([]);
  });
});

test("a pod matters to the Services that select it, a slice and Endpoints to the one that they are of", () => {
  const objects = withPods();
  objects.kept.services = [
    web(),
    storedObject("v1", "Service", "other", { selector: { app: "other" } }),
    storedObject("v1", "Service", "all", {}),
  ];
  const { pods } = endpointsController.follows;
  expect(pods?.(pod("a", "10.0.0.1") as unknown as KubernetesObject, objects)).toEqual(["web"]);
});
