import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container } from "../../src/kube/types.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { hasCondition, type PodAPI, podAPI, shell, statusOf } from "../helpers/pods.ts";

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

/** One that ends as soon as it is told to, so that its grace period is all the hook's; `end` is what it does then. */
async function obedient(name: string, lifecycle: Lifecycle, graceSeconds: number, end = "exit 0") {
  await api.create(name, {
    terminationGracePeriodSeconds: graceSeconds,
    containers: [
      {
        name: "main",
        command: shell(`trap '${end}' TERM; touch /tmp/up; while :; do sleep 0.1; done`),
        lifecycle,
        startupProbe: {
          exec: { command: ["test", "-e", "/tmp/up"] },
          periodSeconds: 1,
          failureThreshold: 60,
        },
      },
    ],
  });
  await api.until(name, "started", (pod) => statusOf(pod, "main")?.started || undefined);
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
    // The monitor may not have written it yet.
    const log = async () => (await api.log("poststart-exec", "main")) || undefined;
    expect(await eventually(log, "the hook's line")).toBe("poststart\n");
    await api.delete("poststart-exec", 1);
  });

  test("should execute poststart http hook properly", async () => {
    await hooked("poststart-http", { postStart: httpGet("/echo?msg=poststart") });
    await isRunning("poststart-http");
    await handled("/echo?msg=poststart kube-lifecycle/1.36 yes\n");
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
    await obedient("prestop-exec", { preStop: { exec: { command } } }, 60);
    await api.delete("prestop-exec");
    await handled("/exec-prestop");
  });

  test("should execute prestop http hook properly", async () => {
    await obedient("prestop-http", { preStop: httpGet("/echo?msg=prestop") }, 60);
    await api.delete("prestop-http");
    await handled("/echo?msg=prestop kube-lifecycle/1.36 yes\n");
  });

  test("a hook goes to the pod's own address unless it names a host", async () => {
    const server =
      'require("http").createServer((request, response) => { console.log(request.url); response.end(); }).listen(8080)';
    const preStop = { httpGet: { path: "/bye", port: "web" } };
    await api.create("prestop-self", {
      terminationGracePeriodSeconds: 30,
      restartPolicy: "Never",
      containers: [
        {
          name: "main",
          command: ["node", "-e", `${server}; process.on("SIGTERM", () => process.exit(0))`],
          ports: [{ name: "web", containerPort: 8080 }],
          lifecycle: { preStop },
          readinessProbe: { tcpSocket: { port: "web" }, periodSeconds: 1 },
        },
      ],
    });
    await api.until("prestop-self", "ready", (pod) => hasCondition(pod, "Ready") || undefined);
    await endByDeadline("prestop-self");
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
          command: shell("exec sleep 600"),
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
    await node.ok(["exec", "poststart-blocks", "-c", "first", "--", "touch", "/shared/go"]);
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
    await obedient("prestop", { preStop: { exec: { command: shell("echo prestop > /proc/1/fd/1") } } }, 60);
    const log = await api.followLog("prestop", "main");
    await api.delete("prestop");
    expect(await log.all).toBe("prestop\n");
  });

  test("one that sleeps counts against the grace period", async () => {
    // More than `delete` waits for: one that waited out the grace period would fail.
    await obedient("prestop-sleep", { preStop: { sleep: { seconds: 1 } } }, 120, "echo term; exit 0");
    const log = await api.followLog("prestop-sleep", "main");
    const start = Date.now();
    await api.delete("prestop-sleep");
    expect(Date.now() - start).toBeGreaterThan(1_000);
    expect(await log.all).toBe("term\n");
  });

  test("one that never ends is cut off by the grace period", async () => {
    await hooked(
      "prestop-long",
      { preStop: { exec: { command: ["sleep", "500"] } } },
      shell("exec sleep 600"),
      1,
    );
    await isRunning("prestop-long");
    await api.delete("prestop-long");
  });

  test("one that fails is told and changes nothing", async () => {
    await obedient("prestop-fails", { preStop: { exec: { command: ["false"] } } }, 60);
    await api.delete("prestop-fails");
    await api.event("prestop-fails", "FailedPreStopHook", "PreStopHook failed");
  });
});

test("lifecycle.stopSignal is what the container is stopped with", async () => {
  await api.create("stop-signal", {
    os: { name: "linux" },
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 10,
    containers: [
      {
        name: "main",
        command: shell("trap 'echo usr1; exit 0' USR1; echo up; while :; do sleep 0.1; done"),
        lifecycle: { stopSignal: "SIGUSR1" },
      },
    ],
  });
  const log = () => api.log("stop-signal", "main").catch(() => "");
  await eventually(async () => (await log()) === "up\n" || undefined, "its trap");
  await endByDeadline("stop-signal");
  expect(await log()).toBe("up\nusr1\n");
});

/** Waits for a line in the log of the hooks' HTTP server. */
async function handled(line: string): Promise<void> {
  const isThere = async () => (await api.log("handler", "handler")).includes(line) || undefined;
  await eventually(isThere, `${line} in the handler's log`);
}

/** Ends a pod without deleting it, so that its log stays. */
async function endByDeadline(name: string): Promise<void> {
  await api.patch(name, { spec: { activeDeadlineSeconds: 1 } });
  await api.until(name, "the end", (pod) => pod.status?.phase === "Failed" || undefined);
}
