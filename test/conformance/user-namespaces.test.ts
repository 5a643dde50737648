import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layoutFor, reachableDir } from "../../src/host/layout.ts";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { leftovers } from "../helpers/leftovers.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { startTestRegistry, type TestRegistry } from "../helpers/registry.ts";

/**
 * Pods with users of their own (https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/), as kubectl shows
 * them and as this machine sees them from outside.
 */
describe.each(["crun", "runc"])("hostUsers: false with %s", (runtime) => {
  let node: TestNode;
  let kubectl: Client;
  let outside: string;

  beforeAll(async () => {
    node = await testNode(["--runtime", runtime]);
    ({ kubectl } = await clientsOf(node));
    outside = mkdtempSync(join(tmpdir(), "peapod-outside-"));
  });
  afterAll(async () => {
    await node?.close();
    rmSync(outside, { recursive: true, force: true });
    const layout = layoutFor(node.stateDir, node.runDir);
    expect(existsSync(reachableDir(layout))).toBe(false);
    expect(await leftovers(node, layout.instance)).toEqual([]);
  });

  const image = "peapod.dev/host";
  const main = { name: "main", image, command: ["sleep", "infinity"] };

  async function start(name: string, spec: object, ...more: object[]): Promise<void> {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: { app: name } },
      spec: { hostUsers: false, terminationGracePeriodSeconds: 1, containers: [main], ...spec },
    };
    const input = [...more, pod].map((object) => JSON.stringify(object)).join("\n---\n");
    await kubectl.ok(["apply", "-f", "-"], { input });
    await kubectl.ok(["wait", "--for=condition=Ready", "--timeout=60s", `pod/${name}`]);
  }
  const inside = (name: string, script: string, container = "main") =>
    kubectl.ok(["exec", name, "-c", container, "--", "sh", "-c", script]);
  const remove = (...names: string[]) => kubectl.ok(["delete", "pod", ...names]);
  const uidOf = async (name: string) =>
    (await kubectl.ok(["get", "pod", name, "-o", "jsonpath={.metadata.uid}"])).trim();
  const firstID = async (name: string) => {
    const [first, host, size] = (await inside(name, "cat /proc/self/uid_map")).trim().split(/\s+/);
    expect([first, size]).toEqual(["0", "65536"]);
    expect(await inside(name, "cat /proc/self/gid_map")).toMatch(new RegExp(`^\\s+0\\s+${host}\\s+65536\n$`));
    return Number(host);
  };

  test("gives each pod 65536 IDs that no other pod and no user of this machine has", async () => {
    await Promise.all([start("one", {}), start("two", {}), start("hosts", { hostUsers: true })]);
    const [one, two] = [await firstID("one"), await firstID("two")];
    expect(one).toBeGreaterThanOrEqual(65_536);
    expect(one % 65_536).toBe(0);
    expect(Math.abs(one - two)).toBeGreaterThanOrEqual(65_536);
    expect(await inside("hosts", "cat /proc/self/uid_map")).toMatch(/^\s+0\s+0\s+4294967295\n$/);
    await remove("hosts");
  });

  test("keeps them when the daemon is killed, and gives none of them to another pod", async () => {
    const before = await firstID("one");
    await node.killDaemon();
    await node.ok(["node", "start", "--runtime", runtime]);
    ({ kubectl } = await clientsOf(node));
    await start("three", {});
    expect(await firstID("one")).toBe(before);
    expect(new Set([before, await firstID("two"), await firstID("three")]).size).toBe(3);
    await remove("one", "two", "three");
  });

  test("root inside is nobody outside: processes, files of the image, capabilities", async () => {
    await start("powerless", {
      containers: [{ ...main, securityContext: { privileged: true } }],
      volumes: [{ name: "outside", hostPath: { path: outside } }],
    });
    const host = await firstID("powerless");
    const { stdout } = await node.peapod(["get", "pod", "powerless", "-o", "json"]);
    expect(JSON.parse(stdout).spec.hostUsers).toBe(false);
    const owners = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/uid_map`, "utf8").includes(` ${host} `);
        } catch {
          return false;
        }
      })
      .map((pid) => statSync(`/proc/${pid}`).uid);
    expect(owners).toEqual([host]);
    await inside("powerless", "echo mine > /own; test $(stat -c %u:%g /own) = 0:0");
    for (const refused of [
      "echo core > /proc/sys/kernel/core_pattern",
      "mknod /node b 7 0 && cat /node",
      "mount -t ext4 /dev/root /mnt || mount -t ext4 /dev/vda /mnt",
      "date -s @0",
    ]) {
      expect(
        (await kubectl.run(["exec", "powerless", "--", "sh", "-c", refused])).exitCode,
        refused,
      ).not.toBe(0);
    }
    await remove("powerless");
  });

  test("its network and kernel parameters are its own to change", async () => {
    const securityContext = { privileged: true };
    await start("admin", { containers: [{ ...main, securityContext }] });
    const setting = "/proc/sys/net/ipv4/ip_forward";
    const before = readFileSync(setting, "utf8");
    const script = `ip link add inner type veth; ip link show inner > /dev/null && hostname renamed; echo ${before.trim() === "1" ? 0 : 1} > ${setting}; cat ${setting}`;
    expect((await inside("admin", script)).trim()).toBe(before.trim() === "1" ? "0" : "1");
    expect(readFileSync(setting, "utf8")).toBe(before);
    expect(readdirSync("/sys/class/net")).not.toContain("inner");
    expect(await inside("admin", "hostname")).toBe("renamed\n");
    await remove("admin");
  });

  test("volumes of every kind have the owners that they have without it", async () => {
    writeFileSync(join(outside, "file"), "of root", { mode: 0o600 });
    const volumes = [
      { name: "disk", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory" } },
      { name: "config", configMap: { name: "config" } },
      { name: "secret", secret: { secretName: "secret", defaultMode: 0o400 } },
      {
        name: "fields",
        downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] },
      },
      {
        name: "projected",
        projected: {
          sources: [{ configMap: { name: "config" } }, { serviceAccountToken: { path: "token" } }],
        },
      },
      { name: "claim", persistentVolumeClaim: { claimName: "claim" } },
      { name: "outside", hostPath: { path: outside } },
      { name: "image", image: { reference: image } },
    ];
    const mounts = volumes.map(({ name }) => ({ name, mountPath: `/volumes/${name}` }));
    mounts.push({ name: "config", mountPath: "/volumes/key", subPath: "key" } as never);
    await start(
      "volumes",
      { containers: [{ ...main, volumeMounts: mounts }], volumes },
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "config" }, data: { key: "value" } },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "secret" }, stringData: { password: "hush" } },
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "claim" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
      },
    );
    const paths =
      "* key config/key secret/password fields/name projected/key projected/token outside/file image/usr";
    const owners = await inside("volumes", `cd /volumes; stat -L -c '%u:%g' ${paths} | sort -u`);
    expect(owners).toBe("0:0\n");
    expect(await inside("volumes", "cat /volumes/secret/password /volumes/key /volumes/outside/file")).toBe(
      "hushvalueof root",
    );
    await inside("volumes", "cd /volumes; touch disk/f memory/f claim/f outside/f");
    expect(statSync(join(outside, "f")).uid).toBe(0);
    const pod = join(node.stateDir, "pods", await uidOf("volumes"), "volumes");
    expect(statSync(join(pod, "kubernetes.io~empty-dir/disk/f")).uid).toBe(0);
    expect((await kubectl.run(["exec", "volumes", "--", "touch", "/volumes/image/f"])).exitCode).not.toBe(0);

    // What changes later is shown as well, with the same owner.
    await kubectl.ok(["patch", "configmap", "config", "-p", '{"data":{"key":"changed"}}']);
    const look = "cat /volumes/config/key; stat -L -c %u /volumes/config/key";
    await eventually(async () => (await inside("volumes", look)) === "changed0\n" || undefined, "the change");
    await remove("volumes");
    await kubectl.ok(["delete", "pvc", "claim"]);
  });

  test("users, fsGroup and /dev/shm are those of the pod, shared by its containers", async () => {
    const volumeMounts = [{ name: "shared", mountPath: "/shared" }];
    await start("users", {
      securityContext: { fsGroup: 2000, runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000] },
      containers: [
        { ...main, volumeMounts },
        { ...main, name: "other", volumeMounts, securityContext: { runAsUser: 1001 } },
      ],
      volumes: [{ name: "shared", emptyDir: {} }],
    });
    expect(await inside("users", "id -u; id -G")).toBe("1000\n3000 2000 4000\n");
    await inside("users", "echo by-main > /shared/f; echo by-main > /dev/shm/f");
    expect(await inside("users", "stat -c '%u:%g' /shared/f /dev/shm/f; cat /dev/shm/f", "other")).toBe(
      "1000:2000\n1000:3000\nby-main\n",
    );
    const pod = join(node.stateDir, "pods", await uidOf("users"), "volumes");
    expect(statSync(join(pod, "kubernetes.io~empty-dir/shared/f"))).toMatchObject({ uid: 1000, gid: 2000 });
    await inside("users", "touch /dev/mqueue/q");
    expect(await inside("users", "ls /dev/mqueue", "other")).toBe("q\n");
    await remove("users");
  });

  test("exec, logs, probes, hooks, ports, terminals and copies work as ever", async () => {
    const server =
      'require("http").createServer((_, answer) => answer.end("served")).listen(8080, () => console.log("up"))';
    await start("verbs", {
      containers: [
        {
          name: "main",
          image,
          command: ["node", "-e", server],
          stdin: true,
          readinessProbe: { httpGet: { port: 8080, path: "/" }, periodSeconds: 1 },
          startupProbe: {
            exec: { command: ["test", "-e", "/started"] },
            periodSeconds: 1,
            failureThreshold: 30,
          },
          lifecycle: { postStart: { exec: { command: ["touch", "/started"] } } },
        },
      ],
    });
    expect(await kubectl.ok(["logs", "verbs"])).toBe("up\n");
    expect(await kubectl.ok(["exec", "-i", "verbs", "--", "cat"], { input: "through" })).toBe("through");
    const file = join(outside, "copied");
    mkdirSync(join(outside, "folder"), { recursive: true });
    await kubectl.ok(["cp", join(outside, "folder"), "verbs:/tmp/folder"]);
    await inside("verbs", "echo content > /tmp/folder/f");
    await kubectl.ok(["cp", "verbs:/tmp/folder/f", file]);
    expect(readFileSync(file, "utf8")).toBe("content\n");
    await remove("verbs");
  });

  test("one process namespace, init and ephemeral containers", async () => {
    await start("family", {
      shareProcessNamespace: true,
      initContainers: [
        { name: "first", image, command: ["sh", "-c", "id -u; cat /proc/self/uid_map"] },
        { name: "sidecar", image, restartPolicy: "Always", command: ["sleep", "infinity"] },
      ],
    });
    const host = await firstID("family");
    expect(await kubectl.ok(["logs", "family", "-c", "first"])).toMatch(new RegExp(`^0\\n\\s+0\\s+${host} `));
    expect(await inside("family", "cat /proc/1/comm; stat -c %u /proc/1")).toBe("catatonit\n65535\n");
    await remove("family");
    await start("target", {});
    const debug = ["debug", "target", "--image", image, "--target", "main", "-q", "--", "sh", "-c"];
    await kubectl.ok([
      ...debug.slice(0, 2),
      "-c",
      "look",
      ...debug.slice(2),
      "cat /proc/1/cmdline; sleep 100",
    ]);
    await eventually(
      async () =>
        (await kubectl.run(["logs", "target", "-c", "look"])).stdout.startsWith("sleep") || undefined,
      "the target's command line",
    );
    await remove("target");
  });

  test("procMount: Unmasked shows all of /proc, so that a new one can be mounted", async () => {
    const seccompProfile = { type: "Unconfined" };
    const unmasked = {
      ...main,
      name: "unmasked",
      securityContext: { procMount: "Unmasked", seccompProfile },
    };
    await start("proc", { containers: [{ ...main, securityContext: { seccompProfile } }, unmasked] });
    const mount =
      "unshare --user --map-root-user --mount --pid --fork mount -t proc proc /mnt && echo mounted";
    expect(await inside("proc", mount, "unmasked")).toBe("mounted\n");
    await expect(inside("proc", mount)).rejects.toThrow("denied");
    expect(await inside("proc", "grep -c ' /proc/' /proc/self/mountinfo || :", "unmasked")).toBe("0\n");
    await remove("proc");
  });

  test("is refused together with namespaces of this machine", async () => {
    for (const field of ["hostNetwork", "hostPID", "hostIPC"]) {
      const spec = { hostUsers: false, [field]: true, containers: [main] };
      const input = JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "refused" }, spec });
      const { exitCode, stderr } = await kubectl.run(["create", "-f", "-"], { input });
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`spec.${field}: Forbidden: when \`hostUsers\` is false`);
    }
  });

  test("says which volume's file system cannot do it", async () => {
    const spec = {
      hostUsers: false,
      containers: [{ ...main, volumeMounts: [{ name: "sys", mountPath: "/host-sys" }] }],
      volumes: [{ name: "sys", hostPath: { path: "/sys/kernel" } }],
    };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "unmappable" }, spec };
    await kubectl.ok(["create", "-f", "-"], { input: JSON.stringify(pod) });
    const path = "{.status.containerStatuses[0].state.waiting.message}";
    const message = await eventually(async () => {
      const text = await kubectl.ok(["get", "pod", "unmappable", "-o", `jsonpath=${path}`]);
      return text.includes("cannot map") ? text : undefined;
    }, "the reason");
    expect(message).toContain("/sys/kernel: its file system (sysfs) cannot map IDs on this kernel");
    await remove("unmappable");
  });
});

describe("hostUsers: false with images of several layers", () => {
  let registry: TestRegistry;
  let node: TestNode;
  let kubectl: Client;
  beforeAll(async () => {
    registry = await startTestRegistry();
    node = await testNode(["--registries-conf", registry.registriesConf]);
    ({ kubectl } = await clientsOf(node));
  });
  afterAll(async () => {
    await node?.close();
    await registry?.close();
  });

  const pod = (name: string, containers: object[], more: object = {}) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { hostUsers: false, terminationGracePeriodSeconds: 1, containers, ...more },
  });
  const start = async (object: { metadata: { name: string } }) => {
    await kubectl.ok(["apply", "-f", "-"], { input: JSON.stringify(object) });
    await kubectl.ok(["wait", "--for=condition=Ready", "--timeout=60s", `pod/${object.metadata.name}`]);
  };

  test("files belong to the image's users, who can change them, and nothing reaches the image", async () => {
    const container = { name: "main", image: "node:18-alpine", command: ["sleep", "infinity"] };
    await start(pod("layers", [container]));
    const inside = (script: string) => kubectl.ok(["exec", "layers", "--", "sh", "-c", script]);
    expect(
      await inside("stat -c '%u:%g' / /bin /etc/passwd /usr/bin | sort -u; stat -c %U:%G /home/node"),
    ).toBe("0:0\nnode:node\n");
    // Copied up from a layer with its owner, changed, removed.
    await inside(
      "chmod 600 /etc/passwd; chown node /etc/group; echo more >> /etc/hosts.allow; rm -r /home/node",
    );
    expect(await inside("stat -c '%U %a' /etc/group /etc/passwd; ls /home")).toBe("node 644\nroot 600\n");
    await start(pod("again", [container]));
    const untouched = "stat -c '%U %a' /etc/group /etc/passwd; ls /home; ls /etc/hosts.allow 2>&1 | wc -l";
    expect(await kubectl.ok(["exec", "again", "--", "sh", "-c", untouched])).toBe(
      "root 644\nroot 644\nnode\n1\n",
    );
    await kubectl.ok(["delete", "pod", "layers", "again"]);
  });

  test("an image as a volume belongs to the pod's users, too; users by name are the image's", async () => {
    const container = {
      name: "main",
      image: "node:18-alpine",
      command: ["sleep", "infinity"],
      securityContext: { runAsUser: 1000 },
      volumeMounts: [{ name: "image", mountPath: "/image" }],
    };
    const volumes = [{ name: "image", image: { reference: "alpine:latest" } }];
    await start(pod("image-volume", [container], { volumes }));
    const script = "id -un; stat -c '%u:%g' /image /image/etc/passwd; head -c 4 /image/etc/passwd";
    expect(await kubectl.ok(["exec", "image-volume", "--", "sh", "-c", script])).toBe("node\n0:0\n0:0\nroot");
    await kubectl.ok(["delete", "pod", "image-volume"]);
  });
});
