import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAppArmorEnabled } from "../../src/host/apparmor.ts";
import { type Cluster, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";

// [sig-node] Security Context of Kubernetes' conformance suite, and what else securityContext can say.

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.close());

interface Case {
  readonly name: string;
  readonly script: string;
  readonly pod?: object;
  readonly container?: object;
  readonly log: string | RegExp;
  readonly phase?: string;
}

async function check({ name, script, pod = {}, container = {}, log, phase = "Succeeded" }: Case) {
  const found = await runPod(
    cluster,
    "default",
    scriptPod(
      name
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-|-$/g, "")
        .slice(0, 60)
        .replace(/-$/, ""),
      script,
      { securityContext: pod },
      { securityContext: container },
    ),
  );
  if (typeof log === "string") expect(found).toEqual({ phase, log });
  else expect(found.log).toMatch(log);
}

// setpriv's own view: a set-user-ID program gains nothing under no_new_privs.
const noNewPrivileges = "grep NoNewPrivs /proc/self/status | tr -d '\\t'";

const conformance: readonly Case[] = [
  {
    name: "When creating a container with runAsUser should run the container with uid 65534",
    script: "id -u",
    container: { runAsUser: 65534 },
    log: "65534\n",
  },
  {
    name: "When creating a pod with privileged should run the container as unprivileged when false",
    script: "ip link add dummy0 type dummy || echo refused",
    container: { privileged: false },
    log: /refused/,
  },
  {
    name: "When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs when readOnlyRootFilesystem=false",
    script: "touch /checkfile && echo written",
    container: { readOnlyRootFilesystem: false },
    log: "written\n",
  },
  {
    name: "should support container.SecurityContext.RunAsUser And container.SecurityContext.RunAsGroup",
    script: "id -u; id -g",
    container: { runAsUser: 1001, runAsGroup: 2002 },
    log: "1001\n2002\n",
  },
  {
    name: "should support pod.Spec.SecurityContext.RunAsUser And pod.Spec.SecurityContext.RunAsGroup",
    script: "id -u; id -g",
    pod: { runAsUser: 1001, runAsGroup: 2002 },
    log: "1001\n2002\n",
  },
  {
    name: "when creating containers with AllowPrivilegeEscalation should not allow privilege escalation when false",
    script: noNewPrivileges,
    container: { allowPrivilegeEscalation: false, runAsUser: 1000 },
    log: "NoNewPrivs:1\n",
  },
];

const further: readonly Case[] = [
  {
    name: "container before pod",
    script: "id -u; id -g",
    pod: { runAsUser: 1, runAsGroup: 2 },
    container: { runAsUser: 3 },
    log: "3\n2\n",
  },
  {
    name: "privileged sees every device and may do everything",
    script: "test -e /dev/kmsg && mount -t tmpfs none /mnt && echo allowed",
    container: { privileged: true },
    log: "allowed\n",
  },
  {
    name: "privilege escalation is allowed by default",
    script: noNewPrivileges,
    log: "NoNewPrivs:0\n",
  },
  {
    name: "capabilities dropped and added",
    script: "grep CapBnd /proc/self/status | tr -d '\\t'",
    container: { capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] } },
    log: "CapBnd:0000000000001000\n",
  },
  {
    name: "supplemental groups are merged with the image's",
    script: "id -G",
    pod: { runAsUser: 0, supplementalGroups: [4000, 4001], fsGroup: 4002 },
    log: /^0 .*4000 4001 4002\n$/,
  },
  {
    name: "supplemental groups alone when strict",
    script: "id -G",
    pod: { runAsUser: 0, supplementalGroups: [4000], supplementalGroupsPolicy: "Strict" },
    log: "0 4000\n",
  },
  {
    name: "kernel files are masked",
    script: "cat /proc/timer_list | wc -c; touch /proc/sys/kernel/shmmax 2>&1 | grep -c 'Read-only'",
    log: "0\n1\n",
  },
  {
    name: "seccomp by default",
    script: "grep Seccomp: /proc/self/status | tr -d '\\t'",
    pod: { seccompProfile: { type: "RuntimeDefault" } },
    log: "Seccomp:2\n",
  },
  {
    name: "seccomp unconfined",
    script: "grep Seccomp: /proc/self/status | tr -d '\\t'",
    pod: { seccompProfile: { type: "Unconfined" } },
    log: "Seccomp:0\n",
  },
];

describe("[sig-node] Security Context", () => {
  test.concurrent.each(conformance)("$name", check);
});

describe("securityContext", () => {
  test.concurrent.each(further)("$name", check);

  test("a seccomp profile of the node's own folder", async () => {
    const folder = join(cluster.node.stateDir, "seccomp-profiles/mine");
    mkdirSync(folder, { recursive: true });
    const syscalls = [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }];
    writeFileSync(
      join(folder, "no-mkdir.json"),
      JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls }),
    );
    const localhostProfile = "mine/no-mkdir.json";
    await check({
      name: "own seccomp profile",
      script: "touch /x && echo touched; mkdir /y 2>/dev/null || echo refused",
      container: { seccompProfile: { type: "Localhost", localhostProfile } },
      log: "touched\nrefused\n",
    });
  });

  test.each([
    [{}, "container has runAsNonRoot and image will run as root"],
    [{ runAsUser: 0 }, "container's runAsUser breaks non-root policy"],
  ])("runAsNonRoot with %j keeps the container from starting", async (more, message) => {
    const name = `non-root-${Object.keys(more).length}`;
    const securityContext = { runAsNonRoot: true, ...more };
    await cluster.create("default", scriptPod(name, "true", {}, { securityContext }));
    const pod = await cluster.until(
      "default",
      name,
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError",
      "refused",
    );
    const { uid } = pod.metadata;
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
      `${message} (pod: "${name}_default(${uid})", container: main)`,
    );
  });

  test("fsGroup owns an emptyDir and new files in it, and a user of that group can write", async () => {
    const pod = scriptPod(
      "fs-group",
      "stat -c '%A %g' /v; touch /v/new && stat -c %g /v/new",
      { securityContext: { runAsUser: 1000, fsGroup: 3000 }, volumes: [{ name: "v", emptyDir: {} }] },
      { volumeMounts: [{ name: "v", mountPath: "/v" }] },
    );
    expect(await runPod(cluster, "default", pod)).toEqual({
      phase: "Succeeded",
      log: "drwxrwsrwx 3000\n3000\n",
    });
  });

  test("an AppArmor profile where the machine has none to enforce it: refused, as by the kubelet", async (context) => {
    if (isAppArmorEnabled()) return context.skip("this machine has AppArmor");
    const securityContext = { appArmorProfile: { type: "Localhost", localhostProfile: "mine" } };
    await cluster.create("default", scriptPod("app-armor", "true", { securityContext } as never));
    const { status } = await cluster.until(
      "default",
      "app-armor",
      (pod) => pod.status?.phase === "Failed",
      "refused",
    );
    expect(status?.reason).toBe("AppArmor");
    expect(status?.message).toContain("AppArmor is not enabled on the host");
  });
});
