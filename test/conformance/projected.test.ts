import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, type Finished, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import * as downward from "./downward-volumes.ts";
import * as files from "./file-volumes.ts";

// [sig-storage] Projected configMap, secret, downwardAPI and combined of Kubernetes' conformance suite.

let cluster: Cluster;
const kinds = {
  ConfigMap: { kind: "ConfigMap", source: files.sources.projectedConfigMap },
  Secret: { kind: "Secret", source: files.sources.projectedSecret },
} as const;
const namespaces = { ConfigMap: "", Secret: "", downward: "" };
const looks = {} as Record<"ConfigMap" | "Secret" | "downward", Map<string, Promise<Finished>>>;
const downwardVolume: downward.DownwardVolume = (items, defaultMode) => ({
  projected: {
    sources: [{ downwardAPI: { items } }],
    ...(defaultMode === undefined ? {} : { defaultMode }),
  },
});

beforeAll(async () => {
  cluster = await startCluster();
  for (const kind of ["ConfigMap", "Secret"] as const) {
    namespaces[kind] = await cluster.newNamespace();
    const data = { "data-1": "value-1", "data-2": "value-2" };
    await cluster.create(namespaces[kind], files.keyed(kind, "keyed", data));
    looks[kind] = files.startLooks(cluster, namespaces[kind], kinds[kind]);
  }
  namespaces.downward = await cluster.newNamespace();
  looks.downward = downward.startLooks(cluster, namespaces.downward, downwardVolume);
});
afterAll(() => cluster?.close());

describe("[sig-storage] Projected configMap", () => {
  const kind = kinds.ConfigMap;
  files.testLooks("ConfigMap", () => looks.ConfigMap);
  test("should be consumable in multiple volumes in the same pod", () =>
    files.lookTwice(cluster, namespaces.ConfigMap, kind));
  test("updates should be reflected in volume", () =>
    files.followUpdate(cluster, namespaces.ConfigMap, kind));
  test("optional updates should be reflected in volume", () =>
    files.followOptionalUpdates(cluster, namespaces.ConfigMap, kind));
});

describe("[sig-storage] Projected secret", () => {
  const kind = kinds.Secret;
  files.testLooks("Secret", () => looks.Secret);
  test("should be consumable in multiple volumes in a pod", () =>
    files.lookTwice(cluster, namespaces.Secret, kind));
  test("optional updates should be reflected in volume", () =>
    files.followOptionalUpdates(cluster, namespaces.Secret, kind));
});

describe("[sig-storage] Projected downwardAPI", () => {
  downward.testLooks(
    () => cluster,
    () => looks.downward,
  );
  test.each(["labels", "annotations"] as const)("should update %s on modification", (field) =>
    downward.followMetadata(cluster, namespaces.downward, downwardVolume, field),
  );
});

describe("[sig-storage] Projected combined", () => {
  test("should project all components that make up the projection API", async () => {
    const namespace = await cluster.newNamespace();
    await cluster.create(namespace, files.keyed("ConfigMap", "map", { "configmap-data": "map value" }));
    await cluster.create(namespace, files.keyed("Secret", "secret", { "secret-data": "secret value" }));
    const fieldRef = { fieldPath: "metadata.name" };
    const pod = scriptPod(
      "combined",
      "cat /all/podname /all/secret-data /all/configmap-data",
      {
        volumes: [
          {
            name: "all",
            projected: {
              sources: [
                { secret: { name: "secret" } },
                { configMap: { name: "map" } },
                { downwardAPI: { items: [{ path: "podname", fieldRef }] } },
              ],
            },
          },
        ],
      },
      { volumeMounts: [{ name: "all", mountPath: "/all" }] },
    );
    expect((await runPod(cluster, namespace, pod)).log).toBe("combinedsecret valuemap value");
  });
});

describe("[sig-auth] ServiceAccounts", () => {
  test("should mount projected service account token", async () => {
    const namespace = await cluster.newNamespace();
    const token = { serviceAccountToken: { path: "token", audience: "vault", expirationSeconds: 600 } };
    const pod = scriptPod(
      "token",
      "stat -L -c '%A %u:%g' /t/token; cat /t/token",
      {
        securityContext: { runAsUser: 1000, fsGroup: 10001 },
        volumes: [{ name: "t", projected: { sources: [token] } }],
      },
      { volumeMounts: [{ name: "t", mountPath: "/t" }] },
    );
    const { log } = await runPod(cluster, namespace, pod);
    const [access, jwt = ""] = log.split("\n");
    expect(access).toBe("-rw-r----- 1000:10001");
    const [head = "", claims = "", signature = ""] = jwt.split(".");
    const decoded = JSON.parse(Buffer.from(claims, "base64url").toString());
    expect(decoded).toMatchObject({
      aud: ["vault"],
      sub: `system:serviceaccount:${namespace}:default`,
      "kubernetes.io": { namespace, pod: { name: "token" }, serviceaccount: { name: "default" } },
    });
    expect(decoded.exp - decoded.iat).toBe(600);
    const key = createPublicKey(readFileSync(join(cluster.node.stateDir, "pki/service-account.key")));
    const signed = Buffer.from(`${head}.${claims}`);
    const options = { key, dsaEncoding: "ieee-p1363" } as const;
    expect(verify("sha256", signed, options, Buffer.from(signature, "base64url"))).toBe(true);
  });
});
