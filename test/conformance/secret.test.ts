import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, type Finished, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import {
  followOptionalUpdates,
  type KeyedKind,
  keyed,
  lookTwice,
  sources,
  startLooks,
  stayImmutable,
  testLooks,
} from "./file-volumes.ts";

// [sig-storage] Secrets, [sig-node] Secrets of Kubernetes' conformance suite.

const kind: KeyedKind = { kind: "Secret", source: sources.secret };
let cluster: Cluster;
let namespace: string;
let looks: Map<string, Promise<Finished>>;

beforeAll(async () => {
  cluster = await startCluster();
  namespace = await cluster.newNamespace();
  await cluster.create(namespace, keyed("Secret", "keyed", { "data-1": "value-1", "data-2": "value-2" }));
  looks = startLooks(cluster, namespace, kind);
});
afterAll(() => cluster?.close());

describe("[sig-storage] Secrets", () => {
  testLooks("Secret", () => looks);

  test("should be consumable in multiple volumes in a pod", () => lookTwice(cluster, namespace, kind));
  test("optional updates should be reflected in volume", () =>
    followOptionalUpdates(cluster, namespace, kind));
  test("should be immutable if `immutable` field is set", () => stayImmutable(cluster, namespace, "Secret"));

  test("should be able to mount in a volume regardless of a different secret existing with same name in different namespace", async () => {
    const [here, elsewhere] = [await cluster.newNamespace(), await cluster.newNamespace()];
    await cluster.create(here, keyed("Secret", "keyed", { "data-1": "value-1" }));
    await cluster.create(elsewhere, keyed("Secret", "keyed", { "data-1": "other value" }));
    await lookTwice(cluster, here, kind);
  });

  test("lies in memory, never on a disk", async () => {
    const pod = scriptPod(
      "memory",
      "stat -f -c %T /v",
      { volumes: [{ name: "v", secret: { secretName: "keyed" } }] },
      { volumeMounts: [{ name: "v", mountPath: "/v" }] },
    );
    expect((await runPod(cluster, namespace, pod)).log).toBe("tmpfs\n");
  });
});

describe("[sig-node] Secrets", () => {
  const run = (name: string, container: object) =>
    runPod(cluster, namespace, scriptPod(name, "", {}, { command: ["env"], ...container }));
  const lines = ({ log }: Finished) => log.split("\n");

  test("should be consumable from pods in env vars", async () => {
    const secretKeyRef = { name: "keyed", key: "data-1" };
    const env = [{ name: "SECRET_DATA", valueFrom: { secretKeyRef } }];
    expect(lines(await run("by-key", { env }))).toContain("SECRET_DATA=value-1");
  });

  test("should be consumable via the environment", async () => {
    const secretRef = { name: "keyed" };
    const found = lines(await run("by-map", { envFrom: [{ secretRef }, { prefix: "p_", secretRef }] }));
    expect(found).toEqual(expect.arrayContaining(["data-1=value-1", "p_data-1=value-1", "p_data-2=value-2"]));
  });

  test("should be consumable as environment variable names with various prefixes", async () => {
    const secretRef = { name: "keyed" };
    const prefixes = ["-", "1-", "SECRET.", "$_-"];
    const found = lines(
      await run("by-prefix", { envFrom: prefixes.map((prefix) => ({ prefix, secretRef })) }),
    );
    expect(found).toEqual(expect.arrayContaining(prefixes.map((prefix) => `${prefix}data-1=value-1`)));
  });

  test("should fail to create secret due to empty secret key", async () => {
    await expect(
      cluster.create(namespace, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "empty-key" },
        data: { "": "dmFsdWUtMQ0K" },
      }),
    ).rejects.toThrow("422");
  });

  test("should patch a secret", async () => {
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    const secret = keyed("Secret", "patched", { key: "value" });
    await cluster.create(namespace, {
      ...secret,
      metadata: { name: "patched", labels: { "testsecret-constant": "true" } },
    });
    const data = { key: Buffer.from("value1").toString("base64") };
    await cluster.patch(namespace, "Secret", "patched", {
      metadata: { labels: { testsecret: "true" } },
      data,
    });
    const query = "labelSelector=testsecret%3Dtrue%2Ctestsecret-constant%3Dtrue";
    const found = await cluster.call("GET", `/api/v1/secrets?${query}`);
    expect(found.body.items.map((item: { data: object }) => item.data)).toEqual([data]);
    await cluster.call("DELETE", `${path}?${query}`);
    expect((await cluster.call("GET", `${path}/patched`)).status).toBe(404);
  });

  test("a container waits with the kubelet's words for a Secret that is missing", async () => {
    const env = [{ name: "X", valueFrom: { secretKeyRef: { name: "late", key: "k" } } }];
    const ended = run("waits", { env });
    await cluster.until(
      namespace,
      "waits",
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.message === 'secret "late" not found',
      "waiting",
    );
    await cluster.create(namespace, keyed("Secret", "late", { k: "here" }));
    expect(lines(await ended)).toContain("X=here");
  });
});
