import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, type Finished, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";

// What Kubernetes' conformance suite asks of emptyDir volumes: [sig-storage] EmptyDir volumes, EmptyDir wrapper volumes.

let cluster: Cluster;
const results = new Map<string, Promise<Finished>>();

const users = { root: {}, "non-root": { runAsUser: 1001 } };
const media = { default: {}, tmpfs: { medium: "Memory" } };
const permissions = { "0644": "-rw-r--r--", "0666": "-rw-rw-rw-", "0777": "-rwxrwxrwx" };

const cases = Object.entries(users).flatMap(([user, securityContext]) =>
  Object.entries(permissions).flatMap(([mode, shown]) =>
    Object.entries(media).map(([medium, emptyDir]) => ({
      user,
      securityContext,
      mode,
      shown,
      medium,
      emptyDir,
    })),
  ),
);

const volumes = (emptyDir: object) => [{ name: "test-volume", emptyDir }] as never;
const volumeMounts = [{ name: "test-volume", mountPath: "/test-volume" }];

beforeAll(async () => {
  cluster = await startCluster();
  for (const { user, securityContext, mode, medium, emptyDir } of cases) {
    const script = [
      "stat -f -c 'file system %T' /test-volume",
      "echo 'mount-tester new file' > /test-volume/file",
      `chmod ${mode} /test-volume/file`,
      "stat -c 'file %A owner %u' /test-volume/file",
      "cat /test-volume/file",
    ].join(" && ");
    const name = `${user}-${mode}-${medium}`;
    const pod = scriptPod(name, script, { volumes: volumes(emptyDir) }, { volumeMounts, securityContext });
    results.set(name, runPod(cluster, "default", pod));
  }
  for (const [medium, emptyDir] of Object.entries(media)) {
    const script = "stat -c 'volume %A' /test-volume; stat -f -c 'file system %T' /test-volume";
    const pod = scriptPod(`mode-${medium}`, script, { volumes: volumes(emptyDir) }, { volumeMounts });
    results.set(`mode-${medium}`, runPod(cluster, "default", pod));
  }
});
afterAll(() => cluster?.close());

describe("[sig-storage] EmptyDir volumes", () => {
  test.each(cases)("should support ($user,$mode,$medium)", async ({ user, mode, shown, medium }) => {
    const { phase, log } = (await results.get(`${user}-${mode}-${medium}`)) ?? {};
    expect(log).toContain(`file ${shown} owner ${user === "root" ? 0 : 1001}`);
    expect(log).toContain("mount-tester new file");
    expect(log?.includes("file system tmpfs")).toBe(medium === "tmpfs");
    expect(phase).toBe("Succeeded");
  });

  test.each(["default", "tmpfs"])("volume on %s medium should have the correct mode", async (medium) => {
    const { log } = (await results.get(`mode-${medium}`)) ?? {};
    expect(log).toContain("volume drwxrwxrwx");
    expect(log?.includes("file system tmpfs")).toBe(medium === "tmpfs");
  });

  test("pod should support shared volumes between containers", async () => {
    const container = (name: string, script: string) => ({
      name,
      image: "peapod.dev/host",
      command: ["sh", "-c", script],
      volumeMounts,
    });
    await cluster.create("default", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "shared" },
      spec: {
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 1,
        volumes: volumes({}),
        containers: [
          container("reader", "until cat /test-volume/shared; do sleep 0.1; done 2>/dev/null; sleep 100"),
          container(
            "writer",
            "echo 'Hello from the busy-box sub-container' > /test-volume/shared; sleep 100",
          ),
        ],
      },
    });
    await cluster.logged("default", "shared", "Hello from the busy-box sub-container", "reader");
  });
});

describe("[sig-storage] EmptyDir wrapper volumes", () => {
  test("should not conflict", async () => {
    const namespace = await cluster.newNamespace();
    await cluster.create(namespace, object("Secret", "both", { data: { "data-1": "dmFsdWUtMQ==" } }));
    await cluster.create(namespace, object("ConfigMap", "both", { data: { "data-1": "value-1" } }));
    const pod = scriptPod(
      "both",
      "cat /secret/data-1 /config/data-1",
      {
        volumes: [
          { name: "secret", secret: { secretName: "both" } },
          { name: "config", configMap: { name: "both" } },
        ],
      },
      {
        volumeMounts: [
          { name: "secret", mountPath: "/secret", readOnly: true },
          { name: "config", mountPath: "/config" },
        ],
      },
    );
    expect((await runPod(cluster, namespace, pod)).log).toBe("value-1value-1");
  });

  test("should not cause race condition when used for configmaps", async () => {
    const namespace = await cluster.newNamespace();
    const names = Array.from({ length: 50 }, (_, index) => `racey-${index}`);
    await Promise.all(
      names.map((name) => cluster.create(namespace, object("ConfigMap", name, { data: { "data-1": name } }))),
    );
    const spec = { volumes: names.map((name) => ({ name, configMap: { name } })) };
    const mounts = names.map((name) => ({ name, mountPath: `/etc/config/${name}` }));
    const script = "cat /etc/config/racey-*/data-1 | wc -c";
    const pods = Array.from({ length: 5 }, (_, index) =>
      runPod(cluster, namespace, scriptPod(`race-${index}`, script, spec, { volumeMounts: mounts })),
    );
    const expected = `${names.join("").length}\n`;
    for (const { log } of await Promise.all(pods)) expect(log).toBe(expected);
  });
});

function object(kind: string, name: string, content: object): object {
  return { apiVersion: "v1", kind, metadata: { name }, ...content };
}
