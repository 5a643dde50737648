import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredPod } from "../../src/kube/types.ts";
import { type Cluster, startCluster } from "../helpers/cluster.ts";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { eventually } from "../helpers/peapod.ts";

// [sig-api-machinery] ResourceQuota and [sig-scheduling] LimitRange of Kubernetes' conformance suite, and priorities.

let cluster: Cluster;
let kubectl: Client;
beforeAll(async () => {
  cluster = await startCluster();
  ({ kubectl } = await clientsOf(cluster.node));
});
afterAll(() => cluster?.close());

type List = Record<string, string>;
type Resources = { requests?: List; limits?: List };

const quota = (name: string, hard: List, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name },
  spec: { hard, ...spec },
});
const range = (name: string, ...limits: object[]) => ({
  apiVersion: "v1",
  kind: "LimitRange",
  metadata: { name },
  spec: { limits },
});
const pod = (name: string, resources: Resources = {}, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "c", image: "peapod.dev/host", command: ["sleep", "1000"], resources }],
    ...spec,
  },
});
const claim = (name: string, storage: string, storageClassName?: string) => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } }, storageClassName },
});

/** A namespace, and kubectl in it. */
async function room() {
  const namespace = await cluster.newNamespace();
  const run = (args: readonly string[], input?: object) =>
    kubectl.run(["-n", namespace, ...args], input === undefined ? {} : { input: JSON.stringify(input) });
  const ok = async (...parts: Parameters<typeof run>) => {
    const { exitCode, stdout, stderr } = await run(...parts);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  };
  return {
    namespace,
    ok,
    create: (object: object) => ok(["create", "-f", "-"], object),
    /** What the API says to an object that it does not take. */
    refusal: async (object: object) => {
      const { exitCode, stderr } = await run(["create", "-f", "-"], object);
      expect(exitCode).toBe(1);
      return stderr.trim().replace('Error from server (Forbidden): error when creating "STDIN": ', "");
    },
    /** Resolves once the quota's status says that so much is used. */
    used: (name: string, wanted: List) =>
      eventually(
        async () => {
          const { status } = JSON.parse(await ok(["get", "quota", name, "-o", "json"]));
          return Object.entries(wanted).every(([key, value]) => status?.used?.[key] === value)
            ? status
            : undefined;
        },
        `used of ${name}: ${JSON.stringify(wanted)}`,
      ),
  };
}

describe("[sig-api-machinery] ResourceQuota", () => {
  test("should create a ResourceQuota and ensure its status is promptly calculated", async () => {
    const { create, used, ok } = await room();
    await create(
      quota("q", { pods: "5", "requests.cpu": "1", configmaps: "10", secrets: "4", services: "3" }),
    );
    const status = await used("q", { pods: "0", "requests.cpu": "0", secrets: "0", services: "0" });
    expect(status.hard).toEqual({
      pods: "5",
      "requests.cpu": "1",
      configmaps: "10",
      secrets: "4",
      services: "3",
    });
    const text = await ok(["describe", "quota", "q"]);
    expect(text).toMatch(/^Resource {6}Used {2}Hard$/m);
    expect(text).toMatch(/^pods {10}0 {5}5$/m);
  });

  test("should create a ResourceQuota and capture the life of a pod", async () => {
    const { create, refusal, used, ok } = await room();
    const hard = {
      pods: "2",
      "requests.cpu": "500m",
      "requests.memory": "200Mi",
      "limits.cpu": "1",
      "limits.memory": "1Gi",
    };
    await create(quota("q", hard));
    const small = { requests: { cpu: "200m", memory: "64Mi" }, limits: { cpu: "400m", memory: "128Mi" } };
    await create(pod("first", small));
    await used("q", {
      pods: "1",
      "requests.cpu": "200m",
      "requests.memory": "64Mi",
      "limits.cpu": "400m",
      "limits.memory": "128Mi",
    });
    expect(await refusal(pod("greedy", { ...small, requests: { cpu: "400m", memory: "64Mi" } }))).toBe(
      'pods "greedy" is forbidden: exceeded quota: q, requested: requests.cpu=400m, used: requests.cpu=200m, limited: requests.cpu=500m',
    );
    expect(await refusal(pod("silent", { limits: { cpu: "100m" } }))).toBe(
      'pods "silent" is forbidden: failed quota: q: must specify limits.memory for: c; requests.memory for: c',
    );
    await create(pod("second", small));
    expect(await refusal(pod("third", small))).toContain(
      "exceeded quota: q, requested: limits.cpu=400m,pods=1,requests.cpu=200m, used: limits.cpu=800m,pods=2,requests.cpu=400m, limited: limits.cpu=1,pods=2,requests.cpu=500m",
    );
    const resize = JSON.stringify({
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "350m" } } }] },
    });
    await expect(ok(["patch", "pod", "second", "--subresource", "resize", "-p", resize])).rejects.toThrow(
      'pods "second" is forbidden: exceeded quota: q, requested: requests.cpu=150m, used: requests.cpu=400m, limited: requests.cpu=500m',
    );
    await ok(["delete", "pod", "first", "--wait"]);
    await used("q", { pods: "1", "requests.cpu": "200m" });
    await create(pod("third", small));
    await used("q", { pods: "2" });
    expect(await ok(["get", "quota", "q"])).toMatch(
      /q +pods: 2\/2, requests.cpu: 400m\/500m, requests.memory: 128Mi\/200Mi +limits.cpu: 800m\/1, limits.memory: 256Mi\/1Gi/,
    );
  });

  test("a pod that has ended uses nothing but its place", async () => {
    const { namespace, create, used } = await room();
    await create(quota("q", { pods: "1", "requests.cpu": "1", "count/pods": "2" }));
    const ending = pod("ends", { requests: { cpu: "1" } }, { restartPolicy: "Never" });
    ending.spec.containers = ending.spec.containers.map((one) => ({ ...one, command: ["true"] }));
    await create(ending);
    await cluster.until(namespace, "ends", ({ status }) => status?.phase === "Succeeded", "ended");
    await used("q", { pods: "0", "requests.cpu": "0", "count/pods": "1" });
    await create(pod("next", { requests: { cpu: "1" } }));
    await used("q", { pods: "1", "requests.cpu": "1", "count/pods": "2" });
  });

  test.each([
    ["a configMap", "configmaps", { apiVersion: "v1", kind: "ConfigMap" }],
    ["a secret", "secrets", { apiVersion: "v1", kind: "Secret" }],
    [
      "a service",
      "services",
      { apiVersion: "v1", kind: "Service", spec: { ports: [{ port: 80 }], selector: { a: "b" } } },
    ],
    [
      "a replica set",
      "count/replicasets.apps",
      replicas("apps/v1", "ReplicaSet", { matchLabels: { a: "b" } }),
    ],
  ])("should create a ResourceQuota and capture the life of %s", async (_, counted, object) => {
    const { create, refusal, used, ok } = await room();
    const named = (name: string) => ({ ...object, metadata: { name } });
    const plural = counted.replace("count/", "");
    // Every namespace has a ConfigMap from the beginning.
    const there = (await ok(["get", plural, "-o", "name"])).split("\n").length - 1;
    const full = String(there + 1);
    await create(quota("q", { [counted]: full }));
    await used("q", { [counted]: String(there) });
    await create(named("one"));
    await used("q", { [counted]: full });
    expect(await refusal(named("two"))).toBe(
      `${plural} "two" is forbidden: exceeded quota: q, requested: ${counted}=1, used: ${counted}=${full}, limited: ${counted}=${full}`,
    );
    await ok(["delete", plural, "one", "--wait"]);
    await used("q", { [counted]: String(there) });
  });

  test("node ports and load balancers of services are counted, when they change too", async () => {
    const { create, refusal, used, ok } = await room();
    const service = (name: string, type: string) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { type, ports: [{ port: 80 }], selector: { a: "b" } },
    });
    await create(quota("q", { services: "3", "services.nodeports": "1", "services.loadbalancers": "0" }));
    await create(service("plain", "ClusterIP"));
    expect(await refusal(service("balanced", "LoadBalancer"))).toContain(
      "requested: services.loadbalancers=1",
    );
    await create(service("ports", "NodePort"));
    await used("q", { services: "2", "services.nodeports": "1" });
    await expect(ok(["patch", "service", "plain", "-p", '{"spec":{"type":"NodePort"}}'])).rejects.toThrow(
      "exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1",
    );
  });

  test("should create a ResourceQuota and capture the life of a persistent volume claim with a storage class", async () => {
    const { create, refusal, used, ok } = await room();
    const gold = "gold.storageclass.storage.k8s.io";
    await create(
      quota("q", {
        persistentvolumeclaims: "2",
        "requests.storage": "2Gi",
        [`${gold}/requests.storage`]: "1Gi",
        [`${gold}/persistentvolumeclaims`]: "1",
      }),
    );
    await create(claim("one", "1Gi", "gold"));
    await used("q", {
      "requests.storage": "1Gi",
      [`${gold}/requests.storage`]: "1Gi",
      [`${gold}/persistentvolumeclaims`]: "1",
    });
    expect(await refusal(claim("two", "500Mi", "gold"))).toContain(
      `requested: ${gold}/persistentvolumeclaims=1,`,
    );
    expect(await refusal(claim("two", "1500Mi", "silver"))).toContain(
      "exceeded quota: q, requested: requests.storage=1500Mi, used: requests.storage=1Gi, limited: requests.storage=2Gi",
    );
    await ok(["delete", "pvc", "one"]);
    await used("q", { "requests.storage": "0", persistentvolumeclaims: "0" });
  });

  test("should verify ResourceQuota with terminating scopes", async () => {
    const { create, used, ok } = await room();
    await create(quota("terminating", { pods: "5" }, { scopes: ["Terminating"] }));
    await create(quota("not-terminating", { pods: "5" }, { scopes: ["NotTerminating"] }));
    await create(pod("stays"));
    await used("not-terminating", { pods: "1" });
    await used("terminating", { pods: "0" });
    await ok(["delete", "pod", "stays", "--wait"]);
    await create(pod("goes", {}, { activeDeadlineSeconds: 3600 }));
    await used("terminating", { pods: "1" });
    await used("not-terminating", { pods: "0" });
  });

  test("should verify ResourceQuota with best effort scope", async () => {
    const { create, refusal, used } = await room();
    await create(quota("best-effort", { pods: "1" }, { scopes: ["BestEffort"] }));
    await create(quota("not-best-effort", { pods: "1", "requests.cpu": "1" }, { scopes: ["NotBestEffort"] }));
    await create(pod("modest"));
    await used("best-effort", { pods: "1" });
    await used("not-best-effort", { pods: "0", "requests.cpu": "0" });
    expect(await refusal(pod("another"))).toContain("exceeded quota: best-effort, requested: pods=1");
    await create(pod("asks", { requests: { cpu: "100m" } }));
    await used("not-best-effort", { pods: "1", "requests.cpu": "100m" });
  });

  test("should verify ResourceQuota's priority class scope", async () => {
    const { create, refusal, used } = await room();
    const matchExpressions = [
      { scopeName: "PriorityClass", operator: "In", values: ["system-cluster-critical"] },
    ];
    await create(quota("critical", { pods: "1" }, { scopeSelector: { matchExpressions } }));
    await create(pod("plain"));
    await create(pod("one", {}, { priorityClassName: "system-cluster-critical" }));
    await used("critical", { pods: "1" });
    expect(await refusal(pod("two", {}, { priorityClassName: "system-cluster-critical" }))).toContain(
      "exceeded quota: critical",
    );
  });

  test("should be able to update and delete ResourceQuota", async () => {
    const { create, refusal, used, ok } = await room();
    await create(quota("q", { secrets: "0" }));
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "m" } };
    expect(await refusal(secret)).toContain("limited: secrets=0");
    await ok(["patch", "quota", "q", "-p", '{"spec":{"hard":{"secrets":"1"}}}']);
    expect((await used("q", { secrets: "0" })).hard).toEqual({ secrets: "1" });
    await create(secret);
    await used("q", { secrets: "1" });
    await ok(["delete", "quota", "q"]);
    await create({ ...secret, metadata: { name: "n" } });
  });

  test("controllers are held to it, and say so", async () => {
    const { create, ok } = await room();
    await create(quota("q", { pods: "1" }));
    await create({
      ...replicas("apps/v1", "ReplicaSet", { matchLabels: { a: "b" } }, 2),
      metadata: { name: "set" },
    });
    const message = await eventually(async () => {
      const events = JSON.parse(await ok(["get", "events", "-o", "json"])) as {
        items: { reason: string; message: string }[];
      };
      return events.items.find(({ reason }) => reason === "FailedCreate")?.message;
    }, "FailedCreate");
    expect(message).toMatch(
      /pods "set-\w+" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1$/,
    );
    // Or it would make its pods again while the node is being stopped.
    await ok(["delete", "replicaset", "set", "--wait"]);
  });

  test("that is none is refused", async () => {
    const { refusal } = await room();
    expect(await refusal(quota("q", { gold: "1" }))).toContain(
      'spec.hard[gold]: Invalid value: "gold": must be a standard resource for quota',
    );
    expect(await refusal(quota("q", { pods: "1" }, { scopes: ["BestEffort", "NotBestEffort"] }))).toContain(
      'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
    );
  });
});

describe("[sig-scheduling] LimitRange", () => {
  const container = {
    type: "Container",
    min: { cpu: "50m", memory: "100Mi" },
    max: { cpu: "500m", memory: "500Mi" },
    default: { cpu: "500m", memory: "500Mi" },
    defaultRequest: { cpu: "100m", memory: "200Mi" },
  };

  test("should create a LimitRange with defaults and ensure pod has those defaults applied", async () => {
    const { namespace, create, refusal, ok } = await room();
    await create(range("limits", container));
    await create(pod("nothing"));
    await create(pod("partly", { requests: { cpu: "300m" }, limits: { memory: "300Mi" } }));
    const get = async (name: string) => JSON.parse(await ok(["get", "pod", name, "-o", "json"])) as StoredPod;
    const nothing = await get("nothing");
    expect(nothing.spec.containers[0]?.resources).toEqual({
      requests: container.defaultRequest,
      limits: container.default,
    });
    expect(nothing.metadata.annotations).toEqual({
      "kubernetes.io/limit-ranger":
        "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c",
    });
    expect((await get("partly")).spec.containers[0]?.resources).toEqual({
      requests: { cpu: "300m", memory: "300Mi" },
      limits: { cpu: "500m", memory: "300Mi" },
    });
    await cluster.until(namespace, "nothing", ({ status }) => status?.phase === "Running", "running");

    expect(await refusal(pod("small", { requests: { cpu: "10m", memory: "50Mi" } }))).toBe(
      'pods "small" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, minimum memory usage per Container is 100Mi, but request is 50Mi]',
    );
    expect(await refusal(pod("large", { limits: { cpu: "600m" } }))).toBe(
      'pods "large" is forbidden: maximum cpu usage per Container is 500m, but limit is 600m',
    );
    const resize = JSON.stringify({
      spec: { containers: [{ name: "c", resources: { limits: { cpu: "700m" } } }] },
    });
    await expect(ok(["patch", "pod", "nothing", "--subresource", "resize", "-p", resize])).rejects.toThrow(
      'pods "nothing" is forbidden: maximum cpu usage per Container is 500m, but limit is 700m',
    );
    expect(await refusal(pod("twisted", { requests: { memory: "600Mi" } }))).toContain(
      'spec.containers[0].resources.requests: Invalid value: "600Mi": must be less than or equal to memory limit of 500Mi',
    );
    const text = await ok(["describe", "limits", "limits"]);
    expect(text).toMatch(/^Container +cpu +50m +500m +100m +500m +-$/m);
    expect(text).toMatch(/^Container +memory +100Mi +500Mi +200Mi +500Mi +-$/m);
    await ok([
      "patch",
      "limits",
      "limits",
      "-p",
      '{"spec":{"limits":[{"type":"Container","min":{"cpu":"9m"}}]}}',
    ]);
    await ok(["delete", "limits", "limits"]);
    await create(pod("free", { requests: { cpu: "1m" } }));
  });

  test("of pods as a whole, of ratios and of claims", async () => {
    const { create, refusal } = await room();
    await create(
      range(
        "limits",
        { type: "Pod", max: { cpu: "1" } },
        { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
        { type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "2Gi" } },
      ),
    );
    const two = (cpu: string) => {
      const resources = { requests: { cpu }, limits: { cpu } };
      const one = pod("two", resources);
      one.spec.containers.push(...one.spec.containers.map((container) => ({ ...container, name: "d" })));
      return one;
    };
    expect(await refusal(two("600m"))).toBe(
      'pods "two" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m',
    );
    await create(two("500m"));
    expect(await refusal(pod("ratio", { requests: { cpu: "100m" }, limits: { cpu: "300m" } }))).toBe(
      'pods "ratio" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    );
    expect(await refusal(pod("silent"))).toBe(
      'pods "silent" is forbidden: [maximum cpu usage per Pod is 1.  No limit is specified, cpu max limit to request ratio per Container is 2, but no request is specified or request is 0]',
    );
    expect(await refusal(claim("small", "500Mi"))).toBe(
      'persistentvolumeclaims "small" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi',
    );
    expect(await refusal(claim("large", "3Gi"))).toBe(
      'persistentvolumeclaims "large" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
    );
  });

  test("takes defaults from its bounds, and must not contradict itself", async () => {
    const { create, refusal, ok } = await room();
    await create(range("bounds", { type: "Container", min: { cpu: "1m" }, max: { memory: "1Gi" } }));
    expect(JSON.parse(await ok(["get", "limits", "bounds", "-o", "jsonpath={.spec.limits[0]}"]))).toEqual({
      type: "Container",
      min: { cpu: "1m" },
      max: { memory: "1Gi" },
      default: { memory: "1Gi" },
      defaultRequest: { cpu: "1m", memory: "1Gi" },
    });
    expect(
      await refusal(range("wrong", { type: "Container", min: { cpu: "2" }, max: { cpu: "1" } })),
    ).toContain('spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1');
  });
});

describe("PriorityClass", () => {
  test("the priority of a class is the pod's, system classes are there", async () => {
    const { create, refusal, ok } = await room();
    const of = async (name: string) =>
      JSON.parse(await ok(["get", "pod", name, "-o", "jsonpath={.spec}"])) as StoredPod["spec"];
    await create(pod("plain"));
    expect(await of("plain")).toMatchObject({ priority: 0, preemptionPolicy: "PreemptLowerPriority" });
    await create(pod("critical", {}, { priorityClassName: "system-node-critical" }));
    expect(await of("critical")).toMatchObject({ priority: 2_000_001_000 });
    const described = await ok(["describe", "pod", "critical"]);
    expect(described).toMatch(/^Priority: +2000001000\nPriority Class Name: +system-node-critical$/m);
    const high = {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: "high" },
      value: 1000,
      globalDefault: true,
      preemptionPolicy: "Never",
    };
    await create(high);
    await create(pod("default"));
    expect(await of("default")).toMatchObject({
      priority: 1000,
      priorityClassName: "high",
      preemptionPolicy: "Never",
    });
    await ok(["delete", "priorityclass", "high"]);
    expect(await refusal(pod("nowhere", {}, { priorityClassName: "high" }))).toBe(
      'pods "nowhere" is forbidden: no PriorityClass with name high was found',
    );
    expect(await refusal(pod("forged", {}, { priority: 7 }))).toContain(
      "the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0",
    );
    // A writer that says nothing of it leaves it.
    await ok(["apply", "-f", "-"], { ...pod("plain"), metadata: { name: "plain", labels: { a: "b" } } });
    expect(await of("plain")).toMatchObject({ priority: 0 });
  });
});

function replicas(apiVersion: string, kind: string, selector: object, count = 0) {
  const { spec } = pod("template");
  return {
    apiVersion,
    kind,
    spec: { replicas: count, selector, template: { metadata: { labels: { a: "b" } }, spec } },
  };
}
