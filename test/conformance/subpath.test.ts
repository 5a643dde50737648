import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, type Finished, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import { keyed } from "./file-volumes.ts";

// [sig-storage] Subpath of Kubernetes' conformance suite: Atomic writer volumes. And what a subPath must never do.

let cluster: Cluster;
const results = new Map<string, Promise<Finished>>();

const podName = [{ path: "downward/podname", fieldRef: { fieldPath: "metadata.name" } }];
const cases = [
  {
    name: "should support subpaths with secret pod",
    volume: { secret: { secretName: "keyed" } },
    subPath: "secret-key",
    log: "secret value",
  },
  {
    name: "should support subpaths with configmap pod",
    volume: { configMap: { name: "keyed" } },
    subPath: "map-key",
    log: "map value",
  },
  {
    name: "should support subpaths with configmap pod with mountPath of existing file",
    volume: { configMap: { name: "keyed" } },
    subPath: "map-key",
    mountPath: "/etc/resolv.conf",
    log: "map value",
  },
  {
    name: "should support subpaths with downward pod",
    volume: { downwardAPI: { items: podName } },
    subPath: "downward/podname",
    log: "sub-3",
  },
  {
    name: "should support subpaths with projected pod",
    volume: {
      projected: { sources: [{ configMap: { name: "keyed", items: [{ key: "map-key", path: "a/b" }] } }] },
    },
    subPath: "a/b",
    log: "map value",
  },
];

beforeAll(async () => {
  cluster = await startCluster();
  await cluster.create("default", keyed("ConfigMap", "keyed", { "map-key": "map value" }));
  await cluster.create("default", keyed("Secret", "keyed", { "secret-key": "secret value" }));
  for (const [index, { name, volume, subPath, mountPath = "/mnt/file" }] of cases.entries()) {
    const pod = scriptPod(
      `sub-${index}`,
      `cat ${mountPath}`,
      { volumes: [{ name: "v", ...volume }] as never },
      { volumeMounts: [{ name: "v", mountPath, subPath }] },
    );
    results.set(name, runPod(cluster, "default", pod));
  }
});
afterAll(() => cluster?.close());

describe("[sig-storage] Subpath: Atomic writer volumes", () => {
  test.each(cases)("$name", async ({ name, log }) => {
    expect(await results.get(name)).toEqual({ phase: "Succeeded", log });
  });
});

/** A pod whose first container prepares an emptyDir, and whose second mounts a part of it. */
function preparedPod(name: string, prepare: string, subPath: string): object {
  return scriptPod(
    name,
    "ls -l /part; cat /part/* /part",
    {
      volumes: [{ name: "v", emptyDir: {} }],
      initContainers: [
        {
          name: "prepare",
          image: "peapod.dev/host",
          command: ["sh", "-c", prepare],
          volumeMounts: [{ name: "v", mountPath: "/v" }],
        },
      ],
    },
    { volumeMounts: [{ name: "v", mountPath: "/part", subPath }] },
  );
}

describe("a part of an emptyDir", () => {
  test("that is missing is made as a folder with the volume's mode", async () => {
    const pod = scriptPod(
      "made",
      "stat -c '%F %a' /v/deep /v/deep/er; touch /part/x; ls /v/deep/er",
      { volumes: [{ name: "v", emptyDir: {} }] },
      {
        volumeMounts: [
          { name: "v", mountPath: "/part", subPath: "deep/er" },
          { name: "v", mountPath: "/v" },
        ],
      },
    );
    expect((await runPod(cluster, "default", pod)).log).toBe("directory 777\ndirectory 777\nx\n");
  });

  test("may be behind a link that stays in the volume", async () => {
    const prepare = "mkdir -p /v/real/below; echo inside > /v/real/file; ln -s below/.. /v/real/link";
    const { log } = await runPod(cluster, "default", preparedPod("link-inside", prepare, "real/link"));
    expect(log).toContain("inside");
  });

  test.each([
    ["an absolute link", "ln -s /etc /v/link", "link"],
    ["a relative link", "ln -s ../../../../../../../../etc /v/link", "link"],
    ["a link on the way", "ln -s / /v/link", "link/etc"],
    ["a link to a link", "ln -s /v/b /v/link; ln -s /etc /v/b", "link"],
  ])("can't leave the volume by %s", async (name, prepare, subPath) => {
    const pod = `escape-${name.replaceAll(" ", "-")}`;
    await cluster.create("default", preparedPod(pod, prepare, subPath));
    const stuck = await cluster.until(
      "default",
      pod,
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError",
      "refused",
    );
    expect(stuck.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
      'failed to prepare subPath for volumeMount "v" of container "main"',
    );
  });

  test("of a restarted container is the volume's newest", async () => {
    await cluster.create("default", keyed("ConfigMap", "restarts", { key: "old" }));
    const pod = scriptPod(
      "restarts",
      "cat /file; echo; until [ -e /v/go ]; do sleep 0.1; done; rm /v/go",
      {
        restartPolicy: "Always",
        volumes: [
          { name: "map", configMap: { name: "restarts" } },
          { name: "v", emptyDir: {} },
        ],
      },
      {
        volumeMounts: [
          { name: "map", mountPath: "/file", subPath: "key" },
          { name: "v", mountPath: "/v" },
        ],
      },
    );
    await cluster.create("default", pod);
    await cluster.logged("default", "restarts", "old");
    await cluster.patch("default", "ConfigMap", "restarts", { data: { key: "new" } });
    // The container may end before this does, and takes it along: its own exit code says nothing.
    await cluster.node.peapod(["exec", "restarts", "--", "touch", "/v/go"]);
    await cluster.logged("default", "restarts", "new");
  });
});
