import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

// [sig-cli] Kubectl client of Kubernetes' conformance suite, as far as it needs controllers and Services.

let node: TestNode;
let kubectl: Client;
beforeAll(async () => {
  node = await testNode();
  ({ kubectl } = await clientsOf(node));
});
afterAll(() => node?.close());

const apply = (...objects: object[]) =>
  kubectl.ok(["apply", "-f", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
  });
const metadata = (name: string, labels: object = { app: name }) => ({ name, labels });
/** A pod template of one Node.js program; ready when its port answers. */
const template = (app: string, program: string, port: number) => ({
  metadata: { labels: { app } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "main",
        image: "peapod.dev/host",
        command: ["node", "-e", `${program}; process.on("SIGTERM", () => process.exit(0))`],
        ports: [{ containerPort: port }],
        readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
      },
    ],
  },
});
const greeter = `require("http").createServer((_, response) => response.end(require("os").hostname())).listen(8080)`;
const controller = (name: string, replicas: number) => ({
  apiVersion: "v1",
  kind: "ReplicationController",
  metadata: metadata(name),
  spec: { replicas, selector: { app: name }, template: template(name, greeter, 8080) },
});
const service = (name: string, port: number) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: metadata(name),
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: port }] },
});
const deployment = (name: string, replicas: number, program: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: metadata(name),
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name, program, 8080) },
});
const names = async (app: string) =>
  (await kubectl.ok(["get", "pods", "-l", `app=${app}`, "-o", "name"]))
    .split("\n")
    .filter((line) => line !== "");
const ready = (app: string, count: number) =>
  eventually(
    async () => {
      const states = await kubectl.ok([
        "get",
        "pods",
        "-l",
        `app=${app}`,
        "-o",
        "jsonpath={.items[*].status.containerStatuses[0].ready}",
      ]);
      return states.split(" ").filter((state) => state === "true").length === count || undefined;
    },
    `${count} ready pods of ${app}`,
    90_000,
  );

describe("[sig-cli] Kubectl client Update Demo", () => {
  test("should create and stop a replication controller", async () => {
    await apply(controller("stopped", 2));
    await ready("stopped", 2);
    await kubectl.ok(["delete", "rc", "stopped", "--wait"]);
    await eventually(async () => (await names("stopped")).length === 0 || undefined, "no pods left");
  });

  test("should scale a replication controller", async () => {
    await apply(controller("scaled", 2));
    await ready("scaled", 2);
    expect(await kubectl.ok(["scale", "rc", "scaled", "--replicas=1", "--timeout=60s"])).toBe(
      "replicationcontroller/scaled scaled\n",
    );
    await eventually(async () => (await names("scaled")).length === 1 || undefined, "one pod");
    await kubectl.ok(["scale", "rc", "scaled", "--replicas=2", "--timeout=60s"]);
    await ready("scaled", 2);
  });
});

describe("[sig-cli] Kubectl client of a replication controller", () => {
  beforeAll(async () => {
    await apply(controller("greeter", 1));
    await ready("greeter", 1);
  });

  test("describe should check if kubectl describe prints relevant information for rc and pods", async () => {
    const [pod = ""] = await names("greeter");
    const ofPod = await kubectl.ok(["describe", pod]);
    for (const words of [
      /^Controlled By: +ReplicationController\/greeter$/m,
      /^Status: +Running$/m,
      /peapod\.dev\/host/,
    ]) {
      expect(ofPod).toMatch(words);
    }
    const ofController = await kubectl.ok(["describe", "rc", "greeter"]);
    for (const words of [
      /^Name: +greeter$/m,
      /^Selector: +app=greeter$/m,
      /^Replicas: +1 current \/ 1 desired$/m,
      /^Pods Status: +1 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed$/m,
      /Port: +8080\/TCP/,
      /SuccessfulCreate/,
    ]) {
      expect(ofController).toMatch(words);
    }
  });

  test("expose should create services for rc", async () => {
    await kubectl.ok(["expose", "rc", "greeter", "--name=first", "--port=1234", "--target-port=8080"]);
    await kubectl.ok(["expose", "service", "first", "--name=second", "--port=2345", "--target-port=8080"]);
    const [pod = ""] = await names("greeter");
    for (const address of ["first:1234", "second:2345"]) {
      const answer = await eventually(async () => {
        const { stdout } = await kubectl.run([
          "exec",
          pod,
          "--",
          "curl",
          "-sS",
          "--max-time",
          "5",
          `http://${address}/`,
        ]);
        return stdout === "" ? undefined : stdout;
      }, `an answer of ${address}`);
      expect(`pod/${answer}`).toBe(pod);
    }
  });

  test("patch should add annotations for pods in rc", async () => {
    for (const pod of await names("greeter")) {
      await kubectl.ok(["patch", pod, "-p", '{"metadata":{"annotations":{"x":"y"}}}']);
      expect(await kubectl.ok(["get", pod, "-o", "jsonpath={.metadata.annotations.x}"])).toBe("y");
    }
  });
});

test("[sig-cli] Kubectl client diff should check if kubectl diff finds a difference for Deployments", async () => {
  const before = deployment("compared", 1, greeter);
  await apply(before);
  const after = { ...before, spec: { ...before.spec, replicas: 2 } };
  const { stdout, exitCode } = await kubectl.run(["diff", "-f", "-"], { input: JSON.stringify(after) });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^- {2}replicas: 1$/m);
  expect(stdout).toMatch(/^\+ {2}replicas: 2$/m);
  expect((await kubectl.run(["diff", "-f", "-"], { input: JSON.stringify(before) })).exitCode).toBe(0);
});

test("[sig-cli] Kubectl client Guestbook application should create and stop a working application", async () => {
  // The book is kept by one, asked for by several, each found by the name of its Service.
  const book = `const entries = [];
    require("http").createServer((request, response) => {
      const { searchParams } = new URL(request.url, "http://book");
      if (searchParams.has("entry")) entries.push(searchParams.get("entry"));
      response.end(entries.join());
    }).listen(8080)`;
  const page = `require("http").createServer(async (request, response) => {
      const answer = await fetch("http://book" + request.url).catch((error) => ({ text: () => String(error) }));
      response.end("guestbook: " + (await answer.text()));
    }).listen(8080)`;
  const all = [
    deployment("book", 1, book),
    service("book", 8080),
    deployment("page", 3, page),
    service("page", 8080),
  ];
  await apply(...all);
  await kubectl.ok(["rollout", "status", "deployment/book", "--timeout=60s"]);
  await kubectl.ok(["rollout", "status", "deployment/page", "--timeout=60s"]);
  const proxied = (query: string) =>
    kubectl
      .run(["get", "--raw", `/api/v1/namespaces/default/services/page/proxy/${query}`])
      .then(({ stdout }) => stdout);
  await eventually(async () => (await proxied("")) === "guestbook: " || undefined, "an empty book");
  expect(await proxied("?entry=TestEntry")).toBe("guestbook: TestEntry");
  for (let again = 0; again < 6; again++) expect(await proxied("")).toBe("guestbook: TestEntry");
  await kubectl.ok(["delete", "-f", "-", "--wait"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: all }),
  });
  await eventually(async () => (await names("page")).length === 0 || undefined, "no pods left");
});
