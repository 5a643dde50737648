import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, type Finished, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import { type DownwardVolume, followMetadata, startLooks, testLooks } from "./downward-volumes.ts";

// [sig-storage] Downward API volume, [sig-node] Downward API of Kubernetes' conformance suite.

const volume: DownwardVolume = (items, defaultMode) => ({
  downwardAPI: { items, ...(defaultMode === undefined ? {} : { defaultMode }) },
});
let cluster: Cluster;
let looks: Map<string, Promise<Finished>>;

beforeAll(async () => {
  cluster = await startCluster();
  looks = startLooks(cluster, "default", volume);
});
afterAll(() => cluster?.close());

describe("[sig-storage] Downward API volume", () => {
  testLooks(
    () => cluster,
    () => looks,
  );
  test("should update labels on modification", () => followMetadata(cluster, "default", volume, "labels"));
  test("should update annotations on modification", () =>
    followMetadata(cluster, "default", volume, "annotations"));
});

describe("[sig-node] Downward API", () => {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const resource = (name: string, path: string) => ({
    name,
    valueFrom: { resourceFieldRef: { resource: path } },
  });
  async function environment(pod: string, container: object): Promise<Record<string, string>> {
    const { log } = await runPod(
      cluster,
      "default",
      scriptPod(pod, "", {}, { command: ["env"], ...container }),
    );
    return Object.fromEntries(log.split("\n").map((line) => line.split("=") as [string, string]));
  }
  const allocatable = async () =>
    (await cluster.call("GET", "/api/v1/nodes")).body.items[0].status.allocatable as Record<string, string>;

  test("should provide pod name, namespace and IP address as env vars", async () => {
    const env = [
      field("POD_NAME", "metadata.name"),
      field("POD_NAMESPACE", "metadata.namespace"),
      field("POD_IP", "status.podIP"),
      field("POD_IPS", "status.podIPs"),
    ];
    const found = await environment("addresses", { env });
    const pod = await cluster.call("GET", "/api/v1/namespaces/default/pods/addresses");
    const { podIP } = pod.body.status;
    expect(podIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(found).toMatchObject({
      POD_NAME: "addresses",
      POD_NAMESPACE: "default",
      POD_IP: podIP,
      POD_IPS: podIP,
    });
  });

  test("should provide host IP as an env var; should provide hostIP and hostIPs as an env var", async () => {
    const env = [field("HOST_IP", "status.hostIP"), field("HOST_IPS", "status.hostIPs")];
    const found = await environment("host-addresses", { env });
    const pod = await cluster.call("GET", "/api/v1/namespaces/default/pods/host-addresses");
    const { hostIP } = pod.body.status;
    expect(found).toMatchObject({ HOST_IP: hostIP, HOST_IPS: hostIP });
  });

  test("should provide pod UID as env vars", async () => {
    const found = await environment("uid", { env: [field("POD_UID", "metadata.uid")] });
    const pod = await cluster.call("GET", "/api/v1/namespaces/default/pods/uid");
    expect(found.POD_UID).toBe(pod.body.metadata.uid);
  });

  const resourceVariables = [
    resource("CPU_LIMIT", "limits.cpu"),
    resource("MEMORY_LIMIT", "limits.memory"),
    resource("CPU_REQUEST", "requests.cpu"),
    resource("MEMORY_REQUEST", "requests.memory"),
  ];

  test("should provide container's limits.cpu/memory and requests.cpu/memory as env vars", async () => {
    const resources = {
      requests: { cpu: "250m", memory: "32Mi" },
      limits: { cpu: "1250m", memory: "64Mi" },
    };
    expect(await environment("resources", { env: resourceVariables, resources })).toMatchObject({
      CPU_LIMIT: "2",
      MEMORY_LIMIT: "67108864",
      CPU_REQUEST: "1",
      MEMORY_REQUEST: "33554432",
    });
  });

  test("should provide default limits.cpu/memory from node allocatable", async () => {
    const { cpu, memory = "" } = await allocatable();
    expect(await environment("defaults", { env: resourceVariables })).toMatchObject({
      CPU_LIMIT: cpu,
      MEMORY_LIMIT: String(Number.parseInt(memory, 10) * 1024),
      CPU_REQUEST: "0",
      MEMORY_REQUEST: "0",
    });
  });
});
