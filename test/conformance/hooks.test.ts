import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quietScope } from "../../src/base/scope.ts";
import type { Container } from "../../src/kube/types.ts";
import { type TestNode, testNode } from "../helpers/peapod.ts";
import { type PodAPI, podAPI, shell, statusOf } from "../helpers/pods.ts";

type Lifecycle = NonNullable<Container["lifecycle"]>;

let node: TestNode;
let api: PodAPI;
let handlerIP: string;

/** Logs every request: where hooks by HTTP go. */
const handler: Container = {
  name: "handler",
  command: [
    "node",
    "-e",
    `require("http").createServer((request, response) => {
       console.log(request.url, request.headers["user-agent"], request.headers["x-hook"]);
       response.statusCode = 500;
       response.end();
     }).listen(8080);`,
  ],
  readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
};

beforeAll(async () => {
  node = await testNode();
  api = podAPI(node);
  await api.create("handler", { containers: [handler] });
  handlerIP = await api.until("handler", "ready", (pod) =>
    statusOf(pod, "handler")?.ready ? pod.status?.podIP : undefined,
  );
});
afterAll(() => node?.close());

async function hooked(
  name: string,
  lifecycle: Lifecycle,
  command = shell("exec sleep 600"),
  graceSeconds = 10,
) {
  await api.create(name, {
    terminationGracePeriodSeconds: graceSeconds,
    containers: [{ name: "main", command, lifecycle }],
  });
}

const isRunning = (name: string) =>
  api.until(name, "running", (pod) => statusOf(pod, "main")?.state?.running);

const httpGet = (path: string) => ({
  httpGet: { path, host: handlerIP, port: 8080, httpHeaders: [{ name: "X-Hook", value: "yes" }] },
});

describe("when create a pod with lifecycle hook", () => {
  test("should execute poststart exec hook properly", async () => {
    const command = shell("echo poststart > /proc/1/fd/1");
    await hooked("poststart-exec", { postStart: { exec: { command } } });
    await isRunning("poststart-exec");
    expect(await api.log("poststart-exec", "main")).toBe("poststart\n");
    await api.delete("poststart-exec", 1);
  });

  test("should execute poststart http hook properly", async () => {
    await hooked("poststart-http", { postStart: httpGet("/echo?msg=poststart") });
    await isRunning("poststart-http");
    expect(await api.log("handler", "handler")).toContain("/echo?msg=poststart kube-lifecycle/1.36 yes\n");
    await api.delete("poststart-http", 1);
  });

  test("should execute prestop exec hook properly", async () => {
    const url = `http://${handlerIP}:8080/exec-prestop`;
    const command = [
      "python3",
      "-c",
      `import urllib.request, urllib.error
try: urllib.request.urlopen("${url}")
except urllib.error.HTTPError: pass`,
    ];
    await hooked("prestop-exec", { preStop: { exec: { command } } }, shell("exec sleep 600"), 10);
    await isRunning("prestop-exec");
    await api.delete("prestop-exec", 4);
    expect(await api.log("handler", "handler")).toContain("/exec-prestop");
  });

  test("should execute prestop http hook properly", async () => {
    await hooked("prestop-http", { preStop: httpGet("/echo?msg=prestop") });
    await isRunning("prestop-http");
    await api.delete("prestop-http", 4);
    expect(await api.log("handler", "handler")).toContain("/echo?msg=prestop kube-lifecycle/1.36 yes\n");
  });

  test("a hook goes to the pod's own address unless it names a host", async () => {
    const server =
      'require("http").createServer((request, response) => { console.log(request.url); response.end(); }).listen(8080)';
    const preStop = { httpGet: { path: "/bye", port: "web" } };
    await api.create("prestop-self", {
      terminationGracePeriodSeconds: 5,
      restartPolicy: "Never",
      activeDeadlineSeconds: 2,
      containers: [
        {
          name: "main",
          command: ["node", "-e", `${server}; process.on("SIGTERM", () => process.exit(0))`],
          ports: [{ name: "web", containerPort: 8080 }],
          lifecycle: { preStop },
        },
      ],
    });
    await api.until("prestop-self", "the end", (pod) => pod.status?.phase === "Failed" || undefined);
    expect(await api.log("prestop-self", "main")).toBe("/bye\n");
  });
});

describe("a postStart hook", () => {
  test("keeps its container, and those after it, waiting", async () => {
    const command = shell("until test -e /shared/go; do sleep 0.1; done");
    await api.create("poststart-blocks", {
      volumes: [{ name: "shared", emptyDir: {} }],
      containers: [
        {
          name: "first",
          command: shell("sleep 1; touch /shared/go; exec sleep 600"),
          volumeMounts: [{ name: "shared", mountPath: "/shared" }],
          lifecycle: { postStart: { exec: { command } } },
        },
        { name: "second", command: shell("exec sleep 600") },
      ],
    });
    await api.event("poststart-blocks", "Started", "first");
    const during = await api.get("poststart-blocks");
    expect(statusOf(during, "first")?.state?.waiting?.reason).toBe("ContainerCreating");
    expect(statusOf(during, "second")?.state?.waiting?.reason).toBe("ContainerCreating");
    const after = await api.until("poststart-blocks", "running", (pod) =>
      statusOf(pod, "second")?.state?.running ? pod : undefined,
    );
    expect(statusOf(after, "first")?.state?.running).toBeDefined();
  });

  test("that fails ends the container", async () => {
    await hooked(
      "poststart-fails",
      { postStart: { exec: { command: shell("echo no; exit 3") } } },
      undefined,
      1,
    );
    const waiting = await api.until("poststart-fails", "PostStartHookError", (pod) => {
      const state = statusOf(pod, "main")?.state?.waiting;
      return state?.reason === "PostStartHookError" ? state : undefined;
    });
    expect(waiting.message).toContain('Exec lifecycle hook ([sh -c echo no; exit 3]) for Container "main"');
    await api.event("poststart-fails", "FailedPostStartHook", "PostStartHook failed");
    await api.event("poststart-fails", "Killing", "FailedPostStartHook");
    await api.until("poststart-fails", "CrashLoopBackOff", (pod) =>
      statusOf(pod, "main")?.state?.waiting?.reason === "CrashLoopBackOff" ? true : undefined,
    );
    await api.delete("poststart-fails", 1);
  });

  test("by tcpSocket fails as with every kubelet", async () => {
    await hooked("poststart-tcp", { postStart: { tcpSocket: { port: 80 } } }, undefined, 1);
    await api.event("poststart-tcp", "FailedPostStartHook");
    await api.delete("poststart-tcp", 1);
  });
});

describe("PreStop", () => {
  test("should call prestop when killing a pod", async () => {
    await hooked("prestop", { preStop: { exec: { command: shell("echo prestop > /proc/1/fd/1") } } });
    await isRunning("prestop");
    const following = api.client.log("default", "prestop", { container: "main", follow: true }, quietScope());
    const lines = readAll(await following);
    await api.delete("prestop", 3);
    expect(await lines).toBe("prestop\n");
  });

  test("one that sleeps counts against the grace period", async () => {
    const trap = shell("trap 'echo term; exit 0' TERM; while :; do sleep 0.1; done");
    await hooked("prestop-sleep", { preStop: { sleep: { seconds: 1 } } }, trap, 30);
    await isRunning("prestop-sleep");
    const lines = readAll(
      await api.client.log("default", "prestop-sleep", { container: "main", follow: true }, quietScope()),
    );
    const start = Date.now();
    await api.delete("prestop-sleep");
    expect(Date.now() - start).toBeGreaterThan(1_000);
    expect(Date.now() - start).toBeLessThan(10_000);
    expect(await lines).toBe("term\n");
  });

  test("one that never ends is cut off by the grace period", async () => {
    await hooked(
      "prestop-long",
      { preStop: { exec: { command: ["sleep", "500"] } } },
      shell("exec sleep 600"),
      1,
    );
    await isRunning("prestop-long");
    const start = Date.now();
    await api.delete("prestop-long");
    expect(Date.now() - start).toBeLessThan(8_000);
  });

  test("one that fails is told and changes nothing", async () => {
    await hooked("prestop-fails", { preStop: { exec: { command: ["false"] } } });
    await isRunning("prestop-fails");
    await api.delete("prestop-fails", 5);
    await api.event("prestop-fails", "FailedPreStopHook", "PreStopHook failed");
  });
});

test("lifecycle.stopSignal is what the container is stopped with", async () => {
  await api.create("stop-signal", {
    os: { name: "linux" },
    restartPolicy: "Never",
    activeDeadlineSeconds: 2,
    terminationGracePeriodSeconds: 10,
    containers: [
      {
        name: "main",
        command: shell("trap 'echo usr1; exit 0' USR1; while :; do sleep 0.1; done"),
        lifecycle: { stopSignal: "SIGUSR1" },
      },
    ],
  });
  await api.until("stop-signal", "the end", (pod) => pod.status?.phase === "Failed" || undefined);
  expect(await api.log("stop-signal", "main")).toBe("usr1\n");
});

async function readAll(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of chunks) text += chunk.toString();
  return text;
}
