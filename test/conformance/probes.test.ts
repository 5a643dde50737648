import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quietScope } from "../../src/base/scope.ts";
import { pods } from "../../src/client/resources.ts";
import type { Container, Probe } from "../../src/kube/types.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { hasCondition, type PodAPI, podAPI, shell, statusOf } from "../helpers/pods.ts";

let node: TestNode;
let api: PodAPI;
beforeAll(async () => {
  node = await testNode();
  api = podAPI(node);
});
afterAll(() => node?.close());

/** One failure is enough; only a machine that stands still makes one by its timeout. */
const quick: Probe = { initialDelaySeconds: 1, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 20 };

/** What a liveness probe asks, as a startup probe: however slow the machine, its server is up before it counts. */
const patient = (probe: Probe): Probe => ({
  ...probe,
  periodSeconds: 1,
  failureThreshold: 60,
  timeoutSeconds: 20,
});

/** Answers /healthz with 200, from the fourth second on with 500 when it is to become ill. */
const httpServer = (becomesIll: boolean) => [
  "node",
  "-e",
  `const start = Date.now();
     require("http").createServer((request, response) => {
       response.statusCode = ${becomesIll} && Date.now() - start > 2500 ? 500 : 200;
       response.end("ok");
     }).listen(8080);`,
];

/** A gRPC health service. */
const grpcServer = [
  "node",
  "-e",
  `require("http2").createServer().on("stream", (stream) => {
     stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
     stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
     stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
   }).listen(5000);`,
];

async function restarts(name: string, container: Partial<Container>): Promise<number> {
  await api.create(name, { containers: [{ name: "main", ...container }] });
  return api.until(name, "a restart", (pod) => statusOf(pod, "main")?.restartCount || undefined);
}

/** The restart count after the probe has had every occasion to fail. */
async function staysUp(name: string, container: Partial<Container>) {
  await api.create(name, { containers: [{ name: "main", ...container }] });
  await api.until(name, "started", (pod) => statusOf(pod, "main")?.started || undefined);
  // The startup probe's success is one of them.
  const probed = async () => (await api.log(name, "main")).split("probed").length > 4;
  await eventually(async () => (await probed()) || undefined, "several probes");
  return statusOf(await api.get(name), "main")?.restartCount;
}

// Most of the time is waiting: the first restarts are 0, 10 and 20 s apart.
describe.concurrent("liveness", () => {
  test('should be restarted with a exec "cat /tmp/health" liveness probe', async () => {
    const name = "liveness-exec-fails";
    const count = await restarts(name, {
      command: shell("echo ok > /tmp/health; sleep 2; rm /tmp/health; sleep 600"),
      livenessProbe: { exec: { command: ["cat", "/tmp/health"] }, ...quick },
    });
    expect(count).toBe(1);
    const unhealthy = await api.event(name, "Unhealthy");
    expect(unhealthy.message).toBe("Liveness probe failed: cat: /tmp/health: No such file or directory\n");
    expect(unhealthy.involvedObject.fieldPath).toBe("spec.containers{main}");
    const killing = await api.event(name, "Killing");
    expect(killing.message).toBe("Container main failed liveness probe, will be restarted");
  });

  test('should *not* be restarted with a exec "cat /tmp/health" liveness probe', async () => {
    const command = ["sh", "-c", "echo probed > /proc/1/fd/1; cat /tmp/health"];
    const count = await staysUp("liveness-exec", {
      command: shell("echo ok > /tmp/health; sleep 600"),
      startupProbe: patient({ exec: { command: ["test", "-e", "/tmp/health"] } }),
      livenessProbe: { exec: { command }, ...quick },
    });
    expect(count).toBe(0);
  });

  test("should be restarted with a /healthz http liveness probe", async () => {
    const count = await restarts("liveness-http-fails", {
      command: httpServer(true),
      livenessProbe: { httpGet: { path: "/healthz", port: 8080 }, ...quick },
    });
    expect(count).toBe(1);
    await api.event("liveness-http-fails", "Unhealthy", "HTTP probe failed with statuscode: 500");
  });

  test("should *not* be restarted with a /healthz http liveness probe", async () => {
    const counting = [
      "node",
      "-e",
      'require("http").createServer((_, response) => { console.log("probed"); response.end(); }).listen(8080);',
    ];
    const httpGet = { path: "/healthz", port: 8080 };
    const count = await staysUp("liveness-http", {
      command: counting,
      startupProbe: patient({ httpGet }),
      livenessProbe: { httpGet, ...quick },
    });
    expect(count).toBe(0);
  });

  test("should *not* be restarted with a tcp:8080 liveness probe", async () => {
    const counting = [
      "node",
      "-e",
      'require("net").createServer((socket) => { console.log("probed"); socket.end(); }).listen(8080);',
    ];
    const tcpSocket = { port: 8080 };
    const count = await staysUp("liveness-tcp", {
      command: counting,
      startupProbe: patient({ tcpSocket }),
      livenessProbe: { tcpSocket, ...quick },
    });
    expect(count).toBe(0);
  });

  test("should *not* be restarted with a GRPC liveness probe", async () => {
    const command = [...grpcServer];
    command[2] = `${command[2]?.replace("(stream) => {", '(stream) => { console.log("probed");')}`;
    const grpc = { port: 5000 };
    const count = await staysUp("liveness-grpc", {
      command,
      startupProbe: patient({ grpc }),
      livenessProbe: { grpc, ...quick },
    });
    expect(count).toBe(0);
  });

  test("should be restarted with a GRPC liveness probe", async () => {
    const count = await restarts("liveness-grpc-fails", {
      command: grpcServer,
      livenessProbe: { grpc: { port: 2333 }, ...quick },
    });
    expect(count).toBe(1);
  });

  test("should have monotonically increasing restart count", async () => {
    const name = "liveness-often";
    await api.create(name, {
      containers: [
        {
          name: "main",
          command: shell("exec sleep 600"),
          livenessProbe: { exec: { command: ["false"] }, ...quick },
        },
      ],
    });
    const seen: number[] = [];
    await api.until(
      name,
      "three restarts",
      (pod) => {
        seen.push(statusOf(pod, "main")?.restartCount ?? 0);
        return seen.at(-1) === 3 || undefined;
      },
      90,
    );
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(new Set(seen)).toEqual(new Set([0, 1, 2, 3]));
  });

  test("a probe's own grace period goes before the pod's", async () => {
    const name = "liveness-grace";
    await api.create(name, {
      terminationGracePeriodSeconds: 500,
      containers: [
        {
          name: "main",
          command: shell("trap '' TERM; while :; do sleep 0.2; done"),
          livenessProbe: { exec: { command: ["false"] }, ...quick, terminationGracePeriodSeconds: 1 },
        },
      ],
    });
    const ended = await api.until(name, "a restart", (pod) => statusOf(pod, "main")?.lastState?.terminated);
    expect(ended.exitCode).toBe(137);
    await api.delete(name, 1);
  });

  test("by HTTPS without a look at the certificate, to a port by its name", async () => {
    const keys = "-newkey rsa:2048 -nodes -keyout /tmp/key -out /tmp/cert -x509 -subj /CN=nobody -days 1";
    const server =
      'require("https").createServer({ key: fs.readFileSync("/tmp/key"), cert: fs.readFileSync("/tmp/cert") }, (_, response) => response.end()).listen(8443);';
    await api.create("readiness-https", {
      containers: [
        {
          name: "main",
          command: shell(`openssl req ${keys} 2>/dev/null && exec node -e '${server}'`),
          ports: [{ name: "web", containerPort: 8443 }],
          readinessProbe: { httpGet: { scheme: "HTTPS", port: "web" }, periodSeconds: 1 },
        },
      ],
    });
    await api.until("readiness-https", "ready", (pod) => hasCondition(pod, "Ready") || undefined);
  });
});

describe("readiness", () => {
  test("with readiness probe should not be ready before initial delay and never restart", async () => {
    const name = "readiness-delay";
    await api.create(name, {
      containers: [
        {
          name: "main",
          command: shell("exec sleep 600"),
          readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 3, periodSeconds: 1 },
        },
      ],
    });
    const pod = await api.until(name, "ready", (one) => (hasCondition(one, "Ready") ? one : undefined));
    const status = statusOf(pod, "main");
    const readyAt = pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
    const startedAt = status?.state?.running?.startedAt;
    expect(Date.parse(readyAt ?? "") - Date.parse(startedAt ?? "")).toBeGreaterThanOrEqual(2_000);
    expect(status).toMatchObject({ ready: true, restartCount: 0 });
  });

  test("with readiness probe that fails should never be ready and never restart", async () => {
    const name = "readiness-fails";
    await api.create(name, {
      containers: [
        {
          name: "main",
          command: shell("exec sleep 600"),
          readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1, timeoutSeconds: 20 },
        },
      ],
    });
    await eventually(async () => {
      const failures = (await api.events(name)).filter(({ reason }) => reason === "Unhealthy");
      return failures.reduce((sum, { count = 0 }) => sum + count, 0) >= 3 || undefined;
    }, "three failures");
    const pod = await api.get(name);
    expect(hasCondition(pod, "Ready")).toBe(false);
    expect(pod.status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
      reason: "ContainersNotReady",
      message: "containers with unready status: [main]",
    });
    expect(statusOf(pod, "main")).toMatchObject({ ready: false, started: true, restartCount: 0 });
  });

  test("a readiness gate must be set to True by somebody else", async () => {
    const name = "readiness-gate";
    const readinessGates = [{ conditionType: "example.com/ready" }];
    await api.create(name, {
      readinessGates,
      containers: [{ name: "main", command: shell("exec sleep 600") }],
    });
    const gated = await api.until(name, "gated", (pod) =>
      hasCondition(pod, "ContainersReady")
        ? pod.status?.conditions?.find(({ type }) => type === "Ready")
        : undefined,
    );
    expect(gated).toMatchObject({
      status: "False",
      reason: "ReadinessGatesNotReady",
      message: 'corresponding condition of pod readiness gate "example.com/ready" does not exist.',
    });
    const { status } = await api.get(name);
    const conditions = [...(status?.conditions ?? []), { type: "example.com/ready", status: "True" }];
    await patchStatus(name, { conditions });
    await api.until(name, "ready", (pod) => hasCondition(pod, "Ready") || undefined);
  });

  test("should mark readiness on pods to false while pod is in progress of terminating when a pod has a readiness probe", async () => {
    const name = "readiness-terminating";
    const isReady = { exec: { command: ["test", "-e", "/tmp/ready"] } };
    await api.create(name, {
      terminationGracePeriodSeconds: 20,
      containers: [
        {
          name: "main",
          command: shell("touch /tmp/ready; exec sleep 600"),
          startupProbe: patient(isReady),
          readinessProbe: { ...isReady, ...quick },
          livenessProbe: { ...isReady, ...quick },
          lifecycle: { preStop: { exec: { command: shell("rm /tmp/ready; sleep 3") } } },
        },
      ],
    });
    await api.until(name, "ready", (pod) => hasCondition(pod, "Ready") || undefined);
    await node.ok(["delete", "pod", name, "--wait=false"]);
    const pod = await api.until(name, "not ready", (one) => (hasCondition(one, "Ready") ? undefined : one));
    expect(pod.metadata.deletionTimestamp).toBeDefined();
    expect(statusOf(pod, "main")?.state?.running).toBeDefined();
    await api.delete(name, 1);
    expect((await api.events(name)).filter(({ message }) => message?.startsWith("Liveness"))).toEqual([]);
  });

  test("a new daemon does not take readiness away", async () => {
    const name = "readiness-daemon";
    const probed = shell("echo probed > /proc/1/fd/1");
    await api.create(name, {
      containers: [
        {
          name: "main",
          command: shell("exec sleep 600"),
          startupProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
          readinessProbe: { exec: { command: probed }, periodSeconds: 1 },
        },
      ],
    });
    const before = await api.until(name, "ready", (pod) => (hasCondition(pod, "Ready") ? pod : undefined));
    await node.killDaemon();
    await node.ok(["node", "start"]);
    const probes = (await api.log(name, "main")).length;
    const again = async () =>
      (await api.log(name, "main")).length > probes + 2 * "probed".length || undefined;
    await eventually(again, "two more probes");
    const after = await api.get(name);
    expect(after.status?.conditions).toEqual(before.status?.conditions);
    expect(statusOf(after, "main")).toEqual(statusOf(before, "main"));
  });
});

describe("startup", () => {
  test("holds the other probes back until it succeeds", async () => {
    const name = "startup-slow";
    await api.create(name, {
      containers: [
        {
          name: "main",
          command: shell("until test -e /tmp/go; do sleep 0.1; done; touch /tmp/up; exec sleep 600"),
          startupProbe: patient({ exec: { command: ["test", "-e", "/tmp/up"] } }),
          livenessProbe: { exec: { command: ["test", "-e", "/tmp/up"] }, ...quick, initialDelaySeconds: 0 },
        },
      ],
    });
    const running = await api.until(name, "running", (pod) => {
      const status = statusOf(pod, "main");
      return status?.state?.running && status;
    });
    expect(running).toMatchObject({ started: false, ready: false });
    // By now the liveness probe would have failed, had it been asked.
    await eventually(async () => (await startupFailures(name)) >= 2 || undefined, "two refusals");
    await node.ok(["exec", name, "--", "touch", "/tmp/go"]);
    const started = await api.until(name, "started", (pod) => {
      const status = statusOf(pod, "main");
      return status?.started ? status : undefined;
    });
    expect(started).toMatchObject({ ready: true, restartCount: 0 });
  });

  test("a container that never starts is stopped; under restartPolicy Never for good", async () => {
    const name = "startup-fails";
    await api.create(name, {
      restartPolicy: "Never",
      containers: [
        {
          name: "main",
          command: shell("exec sleep 600"),
          startupProbe: { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 2 },
        },
      ],
    });
    await api.until(name, "failed", (pod) => pod.status?.phase === "Failed" || undefined);
    const killing = await api.event(name, "Killing");
    expect(killing.message).toBe("Container main failed startup probe");
    await api.event(name, "Unhealthy", "Startup probe failed");
  });
});

async function startupFailures(name: string): Promise<number> {
  const failures = (await api.events(name)).filter(({ message }) =>
    message?.startsWith("Startup probe failed"),
  );
  return failures.reduce((sum, { count = 0 }) => sum + count, 0);
}

async function patchStatus(name: string, status: object): Promise<void> {
  const reference = { namespace: "default", name, subresource: "status" };
  await api.client.patch(pods, reference, { status }, quietScope());
}
