import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";

// [sig-node] Sysctls of Kubernetes' conformance suite, and the kubelet's list of safe ones.

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster(["--allowed-unsafe-sysctls", "kernel.msg*"]);
});
afterAll(() => cluster?.close());

const pod = (name: string, script: string, sysctls: { name: string; value: string }[]) =>
  scriptPod(name, script, { securityContext: { sysctls } });

describe("[sig-node] Sysctls", () => {
  test("should support sysctls", async () => {
    const sysctls = [{ name: "kernel.shm_rmid_forced", value: "1" }];
    expect(
      await runPod(cluster, "default", pod("safe", "cat /proc/sys/kernel/shm_rmid_forced", sysctls)),
    ).toEqual({
      phase: "Succeeded",
      log: "1\n",
    });
  });

  test("should reject invalid sysctls", async () => {
    const invalid = ["foo-", "foo.bar-", "bar..", "kernel.shmmax="];
    const sysctls = invalid.map((name) => ({ name, value: "1" }));
    const answer = await cluster.call(
      "POST",
      "/api/v1/namespaces/default/pods",
      pod("invalid", "true", [{ name: "kernel.shmmax", value: "1" }, ...sysctls]),
    );
    expect(answer.status).toBe(422);
    for (const name of invalid) expect(answer.body.message).toContain(`Invalid value: "${name}"`);
    expect(answer.body.message).not.toContain('"kernel.shmmax"');
  });
});

describe("kernel parameters", () => {
  test("of the network belong to the pod, written with slashes too", async () => {
    const sysctls = [{ name: "net/ipv4/ip_local_port_range", value: "40000 41000" }];
    const script = "cat /proc/sys/net/ipv4/ip_local_port_range";
    expect((await runPod(cluster, "default", pod("range", script, sysctls))).log).toBe("40000\t41000\n");
  });

  test("that are not safe end the pod before it runs", async () => {
    await cluster.create("default", pod("unsafe", "true", [{ name: "net.core.somaxconn", value: "1" }]));
    const failed = await cluster.until(
      "default",
      "unsafe",
      ({ status }) => status?.phase === "Failed",
      "failed",
    );
    const message = 'forbidden sysctl: "net.core.somaxconn" not allowlisted';
    expect(failed.status).toMatchObject({
      reason: "SysctlForbidden",
      message: `Pod was rejected: ${message}`,
    });
    const events = await cluster.events("default", "unsafe");
    expect(events).toEqual([
      expect.objectContaining({ type: "Warning", reason: "SysctlForbidden", message }),
    ]);
  });

  test("that are not safe run where the node was told to allow them", async () => {
    const sysctls = [{ name: "kernel.msgmax", value: "65536" }];
    const script = "cat /proc/sys/kernel/msgmax";
    expect((await runPod(cluster, "default", pod("allowed", script, sysctls))).log).toBe("65536\n");
  });
});
