import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import { slower } from "../helpers/patience.ts";

// [sig-node] Kubelet, KubeletManagedEtcHosts and ImageVolume of Kubernetes' conformance suite.

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.close());

describe("[sig-node] Kubelet", () => {
  test("when scheduling a busybox command in a pod should print the output to logs", async () => {
    const { log } = await runPod(cluster, "default", scriptPod("prints", "echo 'Hello World'; sleep 0.2"));
    expect(log).toBe("Hello World\n");
  });

  const failing = (name: string) =>
    scriptPod(name, "", { restartPolicy: "Always" }, { command: ["/bin/false"] });

  test("when scheduling a busybox command that always fails in a pod should have an terminated reason", async () => {
    await cluster.create("default", failing("fails"));
    const pod = await cluster.until(
      "default",
      "fails",
      ({ status }) => {
        const [container] = status?.containerStatuses ?? [];
        return (container?.state?.terminated ?? container?.lastState?.terminated) !== undefined;
      },
      "terminated",
    );
    const [container] = pod.status?.containerStatuses ?? [];
    const terminated = container?.state?.terminated ?? container?.lastState?.terminated;
    expect(terminated).toMatchObject({ exitCode: 1, reason: "Error" });
  });

  test("when scheduling a busybox command that always fails in a pod should be possible to delete", async () => {
    await cluster.create("default", failing("fails-too"));
    await cluster.remove("default", "Pod", "fails-too");
    const end = Date.now() + 20_000 * slower;
    while ((await cluster.call("GET", "/api/v1/namespaces/default/pods/fails-too")).status !== 404) {
      expect(Date.now()).toBeLessThan(end);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  test("when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts", async () => {
    const hostAliases = [{ ip: "123.45.67.89", hostnames: ["foo", "bar"] }];
    const { log } = await runPod(cluster, "default", scriptPod("aliases", "cat /etc/hosts", { hostAliases }));
    expect(log).toContain("# Kubernetes-managed hosts file.");
    expect(log).toContain("123.45.67.89\tfoo\tbar\n");
  });

  test("when scheduling a read only busybox container should not write to root filesystem", async () => {
    const securityContext = { readOnlyRootFilesystem: true };
    const pod = scriptPod("reads", "echo x > /file; echo 'it still runs'", {}, { securityContext });
    const { log } = await runPod(cluster, "default", pod);
    expect(log).toContain("Read-only file system");
    expect(log).toContain("it still runs");
  });
});

describe("[sig-node] KubeletManagedEtcHosts", () => {
  const managed = "# Kubernetes-managed hosts file";

  test("should test kubelet managed /etc/hosts file", async () => {
    const container = (name: string, volumeMounts: object[] = []) => ({
      name,
      image: "peapod.dev/host",
      command: ["cat", "/etc/hosts"],
      volumeMounts,
    });
    const hosts = (name: string, hostNetwork: boolean) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name },
      spec: {
        restartPolicy: "Never",
        hostNetwork,
        volumes: [{ name: "hosts", hostPath: { path: "/etc/hosts", type: "File" } }],
        containers: [
          container("first"),
          container("second"),
          container("own-mount", [{ name: "hosts", mountPath: "/etc/hosts" }]),
        ],
      },
    });
    await Promise.all([
      runPod(cluster, "default", hosts("pod-network", false)),
      runPod(cluster, "default", hosts("host-network", true)),
    ]);
    const log = (pod: string, name: string) => cluster.log("default", pod, name);
    expect(await log("pod-network", "first")).toContain(`${managed}.\n`);
    expect(await log("pod-network", "second")).toContain(`${managed}.\n`);
    expect(await log("pod-network", "own-mount")).not.toContain(managed);
    expect(await log("host-network", "first")).toContain(`${managed} (host network).\n`);
    expect(await log("host-network", "own-mount")).not.toContain(managed);
  });
});

test("workingDir is where the command runs", async () => {
  const pod = scriptPod("folder", "pwd", {}, { workingDir: "/usr/share" });
  expect((await runPod(cluster, "default", pod)).log).toBe("/usr/share\n");
});

describe("host names", () => {
  const script = "hostname; tail -1 /etc/hosts | cut -f2-";
  test.each([
    ["plain", {}, "plain\nplain\n"],
    ["with-name", { hostname: "other" }, "other\nother\n"],
    [
      "with-domain",
      { subdomain: "sub" },
      "with-domain\nwith-domain.sub.default.svc.cluster.local\twith-domain\n",
    ],
    [
      "qualified",
      { subdomain: "sub", setHostnameAsFQDN: true },
      "qualified.sub.default.svc.cluster.local\nqualified.sub.default.svc.cluster.local\tqualified\n",
    ],
    ["overridden", { hostnameOverride: "any.name.at-all" }, "any.name.at-all\nany.name.at-all\n"],
  ])("%s", async (name, spec, log) => {
    expect((await runPod(cluster, "default", scriptPod(name, script, spec))).log).toBe(log);
  });
});

describe("[sig-node] ImageVolume", () => {
  test("should succeed with pod and pull policy of Always", async () => {
    const image = { reference: "peapod.dev/host", pullPolicy: "Always" };
    const pod = scriptPod(
      "image",
      "test -e /volume/etc/os-release && echo found; touch /volume/x; /volume/usr/bin/true; ls /part/sh",
      { volumes: [{ name: "image", image }] as never },
      {
        volumeMounts: [
          { name: "image", mountPath: "/volume" },
          { name: "image", mountPath: "/part", subPath: "bin" },
        ],
      },
    );
    const { log } = await runPod(cluster, "default", pod);
    // Standard output and error are two pipes: which of two lines comes first is chance.
    expect(log).toMatch(/^found$/m);
    expect(log).toContain("Read-only file system");
    expect(log).toContain("Permission denied");
    expect(log).toMatch(/^\/part\/sh$/m);
  });
});
