import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, type Finished, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import {
  followOptionalUpdates,
  followUpdate,
  type KeyedKind,
  keyed,
  lookTwice,
  sources,
  startLooks,
  stayImmutable,
  testLooks,
} from "./file-volumes.ts";

// [sig-storage] ConfigMap, [sig-node] ConfigMap of Kubernetes' conformance suite.

const kind: KeyedKind = { kind: "ConfigMap", source: sources.configMap };
let cluster: Cluster;
let namespace: string;
let looks: Map<string, Promise<Finished>>;

beforeAll(async () => {
  cluster = await startCluster();
  namespace = await cluster.newNamespace();
  const data = { "data-1": "value-1", "data-2": "value-2" };
  await cluster.create(namespace, keyed("ConfigMap", "keyed", data));
  looks = startLooks(cluster, namespace, kind);
});
afterAll(() => cluster?.close());

describe("[sig-storage] ConfigMap", () => {
  testLooks("ConfigMap", () => looks);

  test("should be consumable in multiple volumes in the same pod", () => lookTwice(cluster, namespace, kind));
  test("updates should be reflected in volume", () => followUpdate(cluster, namespace, kind));
  test("optional updates should be reflected in volume", () =>
    followOptionalUpdates(cluster, namespace, kind));
  test("should be immutable if `immutable` field is set", () =>
    stayImmutable(cluster, namespace, "ConfigMap"));

  test("binary data should be reflected in volume", async () => {
    await cluster.create(namespace, {
      ...keyed("ConfigMap", "binary", { text: "text" }),
      binaryData: { "dump.bin": Buffer.from([0xde, 0xca, 0xfe, 0x00]).toString("base64") },
    });
    const pod = scriptPod(
      "binary",
      "cat /v/text; od -An -tx1 /v/dump.bin",
      { volumes: [{ name: "v", configMap: { name: "binary" } }] },
      { volumeMounts: [{ name: "v", mountPath: "/v" }] },
    );
    expect((await runPod(cluster, namespace, pod)).log).toBe("text de ca fe 00\n");
  });
});

describe("[sig-node] ConfigMap", () => {
  const run = (name: string, container: object) =>
    runPod(cluster, namespace, scriptPod(name, "", {}, { command: ["env"], ...container }));
  const lines = ({ log }: Finished) => log.split("\n");

  test("should be consumable via environment variable", async () => {
    const configMapKeyRef = { name: "keyed", key: "data-1" };
    const env = [{ name: "CONFIG_DATA_1", valueFrom: { configMapKeyRef } }];
    expect(lines(await run("by-key", { env }))).toContain("CONFIG_DATA_1=value-1");
  });

  test("should be consumable via the environment", async () => {
    const configMapRef = { name: "keyed" };
    const found = lines(await run("by-map", { envFrom: [{ configMapRef }, { prefix: "p_", configMapRef }] }));
    expect(found).toEqual(
      expect.arrayContaining(["data-1=value-1", "data-2=value-2", "p_data-1=value-1", "p_data-2=value-2"]),
    );
  });

  test("should be consumable as environment variable names with various prefixes", async () => {
    const configMapRef = { name: "keyed" };
    const prefixes = ["-", "1-", "CONFIG.", "$_-"];
    const envFrom = prefixes.map((prefix) => ({ prefix, configMapRef }));
    const found = lines(await run("by-prefix", { envFrom }));
    expect(found).toEqual(expect.arrayContaining(prefixes.map((prefix) => `${prefix}data-1=value-1`)));
  });

  test("should fail to create ConfigMap with empty key", async () => {
    await expect(cluster.create(namespace, keyed("ConfigMap", "empty-key", { "": "value" }))).rejects.toThrow(
      "422",
    );
  });

  test("should update ConfigMap successfully", async () => {
    await cluster.create(namespace, keyed("ConfigMap", "updated", { data: "value" }));
    await cluster.patch(namespace, "ConfigMap", "updated", { data: { data: "value-2" } });
    const answer = await cluster.call("GET", `/api/v1/namespaces/${namespace}/configmaps/updated`);
    expect(answer.body.data).toEqual({ data: "value-2" });
  });

  test("should run through a ConfigMap lifecycle", async () => {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const labelled = { ...keyed("ConfigMap", "lifecycle", { valueName: "value" }) };
    const metadata = { name: "lifecycle", labels: { "test-configmap-static": "true" } };
    await cluster.create(namespace, { ...labelled, metadata });
    await cluster.patch(namespace, "ConfigMap", "lifecycle", {
      metadata: { labels: { "test-configmap": "patched" } },
      data: { valueName: "value1" },
    });
    const found = await cluster.call("GET", `${path}?labelSelector=test-configmap-static%3Dtrue`);
    expect(found.body.items).toHaveLength(1);
    expect(found.body.items[0]).toMatchObject({
      metadata: { labels: { "test-configmap": "patched" } },
      data: { valueName: "value1" },
    });
    await cluster.call("DELETE", `${path}?labelSelector=test-configmap-static%3Dtrue`);
    expect((await cluster.call("GET", `${path}/lifecycle`)).status).toBe(404);
  });

  test("a container waits with the kubelet's words for a ConfigMap that is missing, and starts when it comes", async () => {
    const env = [{ name: "X", valueFrom: { configMapKeyRef: { name: "late", key: "k" } } }];
    const ended = run("waits", { env });
    await cluster.until(
      namespace,
      "waits",
      ({ status }) => {
        const waiting = status?.containerStatuses?.[0]?.state?.waiting;
        return (
          waiting?.reason === "CreateContainerConfigError" && waiting.message === 'configmap "late" not found'
        );
      },
      "waiting",
    );
    await cluster.create(namespace, keyed("ConfigMap", "late", { k: "here" }));
    expect(lines(await ended)).toContain("X=here");
  });
});
