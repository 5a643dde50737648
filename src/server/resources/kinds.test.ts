import { describe, expect, onTestFinished, test } from "vitest";
import { openStore } from "../../store/sqlite-store.ts";
import { socketUser } from "../access/user.ts";
import { basePath } from "../discovery.ts";
import { fakeContext } from "../fake-node.ts";
import { createApp } from "../http/app.ts";
import { resources } from "./registry.ts";

const template = {
  metadata: { labels: { app: "x" } },
  spec: { containers: [{ name: "main", image: "alpine" }] },
};
const workload = { selector: { matchLabels: { app: "x" } }, template };
const jobTemplate = { ...template, spec: { ...template.spec, restartPolicy: "Never" } };
const storage = { accessModes: ["ReadWriteOnce"] };

/** The least that each stored kind takes, beside apiVersion, kind and name. */
const least: Record<string, object> = {
  Pod: { spec: template.spec },
  Namespace: {},
  Event: { involvedObject: { namespace: "default" } },
  "events.k8s.io/Event": { regarding: { namespace: "default" }, reason: "Tested", note: "n" },
  ConfigMap: { data: { a: "b" } },
  Secret: { stringData: { a: "b" } },
  ServiceAccount: {},
  Service: { spec: { ports: [{ port: 80 }] } },
  Endpoints: { subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] }] },
  EndpointSlice: { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }] },
  Ingress: { spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } } },
  IngressClass: { spec: { controller: "example.com/c" } },
  NetworkPolicy: { spec: { podSelector: {} } },
  PersistentVolume: { spec: { ...storage, capacity: { storage: "1Gi" }, hostPath: { path: "/x" } } },
  PersistentVolumeClaim: { spec: { ...storage, resources: { requests: { storage: "1Gi" } } } },
  StorageClass: { provisioner: "example.com/p" },
  Deployment: { spec: workload },
  ReplicaSet: { spec: workload },
  ReplicationController: { spec: { ...workload, selector: { app: "x" } } },
  StatefulSet: { spec: { ...workload, serviceName: "s" } },
  DaemonSet: { spec: workload },
  ControllerRevision: { revision: 1 },
  Job: { spec: { template: jobTemplate } },
  CronJob: { spec: { schedule: "* * * * *", jobTemplate: { spec: { template: jobTemplate } } } },
  PodTemplate: { template },
  LimitRange: { spec: { limits: [{ type: "Container" }] } },
  ResourceQuota: { spec: { hard: { pods: "1" } } },
  RuntimeClass: { handler: "runc" },
  Lease: { spec: { holderIdentity: "me" } },
  PodDisruptionBudget: { spec: { minAvailable: 1 } },
  HorizontalPodAutoscaler: {
    spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" } },
  },
  PriorityClass: { value: 5 },
  Role: { rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }] },
  ClusterRole: { rules: [{ verbs: ["get"], nonResourceURLs: ["/version"] }] },
  RoleBinding: { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" } },
  ClusterRoleBinding: { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "r" } },
};

function open() {
  const store = openStore(":memory:");
  onTestFinished(() => store.close());
  const app = createApp(fakeContext(store), { version: "0.1.0", ready: () => true, admit: () => socketUser });
  return async (method: string, url: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await app.inject({
      method: method as "GET",
      url,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    return { code: answer.statusCode, body: answer.json(), headers: answer.headers };
  };
}

const storedKinds = resources
  .filter(
    ({ verbs, listElsewhere }) =>
      verbs.includes("create") && verbs.includes("list") && listElsewhere === undefined,
  )
  .map((resource) => {
    const { group, version, kind, plural, namespaced } = resource;
    const collection = `${basePath(resource)}${namespaced ? "/namespaces/default" : ""}/${plural}`;
    const content = least[`${group}/${kind}`] ?? least[kind];
    const object = {
      apiVersion: group === "" ? version : `${group}/${version}`,
      kind,
      metadata: { name: "x1", labels: { a: "b" } },
      ...content,
    };
    return { name: `${plural}.${group}`, resource, collection, object, content };
  });

describe.each(storedKinds)("$name", ({ resource, collection, object, content }) => {
  test("created, read, listed, changed three ways, applied and deleted", async () => {
    expect(content, "this test knows the least that the kind takes").toBeDefined();
    const call = open();
    const created = await call("POST", collection, object);
    expect(created).toMatchObject({ code: 201, body: { kind: object.kind, metadata: { name: "x1" } } });
    expect(created.body.metadata.managedFields).toHaveLength(1);
    expect(created.headers.warning === undefined).toBe(resource.notice === undefined);

    const one = await call("GET", `${collection}/x1`);
    expect(one.body).toEqual(created.body);
    const table = await call("GET", collection, undefined, {
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
    });
    expect(table.body.rows[0].cells).toHaveLength(resource.columns.length);
    expect(table.body.rows[0].cells.every((cell: unknown) => cell !== undefined && cell !== null)).toBe(true);
    const partial = await call("GET", collection, undefined, {
      accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    });
    expect(Object.keys(partial.body.items[0]).sort()).toEqual(["apiVersion", "kind", "metadata"]);

    const put = await call("PUT", `${collection}/x1`, {
      ...one.body,
      metadata: { ...one.body.metadata, annotations: { put: "1" } },
    });
    expect(put).toMatchObject({ code: 200, body: { metadata: { annotations: { put: "1" } } } });
    for (const type of ["merge-patch", "strategic-merge-patch"]) {
      const patch = { metadata: { labels: { [type]: "1" } } };
      const patched = await call("PATCH", `${collection}/x1`, patch, {
        "content-type": `application/${type}+json`,
      });
      expect(patched.body.metadata.labels).toMatchObject({ a: "b", [type]: "1" });
    }
    const applied = await call("PATCH", `${collection}/x1?fieldManager=me&force=true`, object, {
      "content-type": "application/apply-patch+yaml",
    });
    expect(applied.code).toBe(200);
    expect(
      applied.body.metadata.managedFields.find(({ manager }: { manager: string }) => manager === "me"),
    ).toMatchObject({ operation: "Apply" });
    const again = await call("PATCH", `${collection}/x1?fieldManager=me`, object, {
      "content-type": "application/apply-patch+yaml",
    });
    expect(again.body).toEqual(applied.body);

    const unknown = await call(
      "PATCH",
      `${collection}/x1?fieldValidation=Strict`,
      { nothing: 1 },
      {
        "content-type": "application/merge-patch+json",
      },
    );
    expect(unknown).toMatchObject({ code: 400, body: { reason: "BadRequest" } });
    expect((await call("DELETE", `${collection}/x1?gracePeriodSeconds=0`)).code).toBe(200);
  });

  test("applied before it is there, and named by the server", async () => {
    const call = open();
    const applied = await call("PATCH", `${collection}/x1?fieldManager=me`, object, {
      "content-type": "application/apply-patch+yaml",
    });
    expect(applied).toMatchObject({ code: 201, body: { metadata: { name: "x1" } } });
    const generated = await call("POST", collection, { ...object, metadata: { generateName: "gen-" } });
    expect(generated.body.metadata.name).toMatch(/^gen-[a-z0-9]{5}$/);
    const nameless = await call("POST", collection, { ...object, metadata: {} });
    expect(nameless).toMatchObject({ code: 422, body: { reason: "Invalid" } });
  });
});

test("an event of one group is the same event in the other", async () => {
  const call = open();
  const old = "/api/v1/namespaces/default/events";
  const grouped = "/apis/events.k8s.io/v1/namespaces/default/events";
  const event = { metadata: { name: "e" }, regarding: { namespace: "default", name: "web" }, note: "n" };
  await call("POST", grouped, { ...event, reason: "Tested", reportingController: "c" });
  expect((await call("GET", `${old}/e`)).body).toMatchObject({
    apiVersion: "v1",
    involvedObject: { name: "web" },
    message: "n",
    reportingComponent: "c",
  });
  const { body } = await call("GET", `${grouped}?fieldSelector=regarding.name%3Dweb`);
  expect(body).toMatchObject({ kind: "EventList", apiVersion: "events.k8s.io/v1", items: [{ note: "n" }] });
});

test("services get addresses that nobody else has, and keep them", async () => {
  const call = open();
  const url = "/api/v1/namespaces/default/services";
  const service = (name: string, spec: object) => ({
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  });
  const { body } = await call("POST", url, service("a", { type: "NodePort" }));
  expect(body.spec).toMatchObject({ ipFamilies: ["IPv4"], clusterIPs: [body.spec.clusterIP] });
  expect(body.spec.ports[0].nodePort).toBeGreaterThanOrEqual(30_000);
  const taken = await call("POST", url, service("b", { clusterIP: body.spec.clusterIP }));
  expect(taken.body.message).toContain("provided IP is already allocated");
  const headless = await call("POST", url, service("c", { clusterIP: "None" }));
  expect(headless.body.spec.clusterIPs).toEqual(["None"]);
  const put = await call("PUT", `${url}/a`, service("a", { type: "NodePort" }));
  expect(put.body.spec).toMatchObject({ clusterIP: body.spec.clusterIP, ports: body.spec.ports });
  const moved = await call("PUT", `${url}/a`, service("a", { type: "NodePort", clusterIP: "10.96.0.77" }));
  expect(moved.body.message).toContain("may not change once set");
});

test("a Service of another type has what that type has", async () => {
  const call = open();
  const url = "/api/v1/namespaces/default/services";
  const ports = [
    { name: "a", port: 80, protocol: "TCP" },
    { name: "b", port: 80, protocol: "UDP" },
  ];
  const put = async (spec: object) =>
    (await call("PUT", `${url}/web`, { metadata: { name: "web" }, spec })).body.spec;
  const outside = { type: "ExternalName", externalName: "example.com" };
  const { body } = await call("POST", url, { metadata: { name: "web" }, spec: { ...outside, ports } });
  expect(body.spec.clusterIP).toBeUndefined();
  const inside = await put({ type: "ClusterIP", ports });
  expect(inside.clusterIPs).toEqual([expect.stringMatching(/^10\./)]);
  const open30 = await put({ type: "NodePort", ports });
  expect(open30.clusterIP).toBe(inside.clusterIP);
  const nodePorts = open30.ports.map(({ nodePort }: { nodePort: number }) => nodePort);
  for (const nodePort of nodePorts) expect(nodePort).toBeGreaterThanOrEqual(30_000);
  // The same number for another protocol is another port.
  const same = await put({
    type: "NodePort",
    ports: ports.map((port) => ({ ...port, nodePort: nodePorts[0] })),
  });
  expect(same.ports.map(({ nodePort }: { nodePort: number }) => nodePort)).toEqual([
    nodePorts[0],
    nodePorts[0],
  ]);
  const shut = await put({ ...same, type: "ClusterIP" });
  expect(shut.ports.some((port: object) => "nodePort" in port)).toBe(false);
  const gone = await put({ ...shut, ...outside });
  expect([gone.clusterIP, gone.clusterIPs]).toEqual([undefined, undefined]);
  const warned = await call("POST", url, { metadata: { name: "lb" }, spec: { type: "LoadBalancer", ports } });
  expect(String(warned.headers.warning)).toContain("there is no load balancer");
});

test("what may not change does not", async () => {
  const call = open();
  const url = "/apis/apps/v1/namespaces/default/deployments";
  await call("POST", url, { metadata: { name: "d" }, spec: workload });
  const spec = {
    selector: { matchLabels: { app: "y" } },
    template: { ...template, metadata: { labels: { app: "y" } } },
  };
  const changed = await call("PUT", `${url}/d`, { metadata: { name: "d" }, spec });
  expect(changed).toMatchObject({ code: 422 });
  expect(changed.body.message).toBe(
    'Deployment.apps "d" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"y"}}: field is immutable',
  );
});

test("every kind is in discovery once, with its documentation in OpenAPI", async () => {
  const call = open();
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const groups = [
    ...(await call("GET", "/api", undefined, { accept })).body.items,
    ...(await call("GET", "/apis", undefined, { accept })).body.items,
  ] as { metadata: { name?: string }; versions: { version: string; resources: { resource: string }[] }[] }[];
  const found = groups.flatMap(({ metadata, versions }) =>
    versions.flatMap((version) =>
      version.resources.map(({ resource }) => `${metadata.name ?? ""}/${version.version}/${resource}`),
    ),
  );
  expect(found.sort()).toEqual(
    resources.map(({ group, version, plural }) => `${group}/${version}/${plural}`).sort(),
  );

  const { paths } = (await call("GET", "/openapi/v3")).body as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const { body } = await call("GET", paths["apis/apps/v1"]?.serverRelativeURL ?? "");
  expect(body.components.schemas["io.k8s.api.core.v1.PodSpec"].properties.containers).toMatchObject({
    type: "array",
    "x-kubernetes-list-map-keys": ["name"],
    "x-kubernetes-patch-merge-key": "name",
    "x-kubernetes-patch-strategy": "merge",
  });
});
