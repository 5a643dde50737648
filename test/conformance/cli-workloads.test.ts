import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

// The verbs on what makes and selects pods, as a person types them: deploy/web, svc/web.

const server = `const { createServer } = require("http"); const { hostname } = require("os");
createServer((_, response) => response.end(hostname())).listen(8080, () => console.log("listens"));
process.on("SIGTERM", () => process.exit(0));`;

const labels = { app: "web" };
const objects = [
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "server",
              // No registry has it: the fallback must reach the template too.
              image: "registry.invalid/nothing",
              command: ["node", "-e", server],
              readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "lost" },
    spec: { selector: { app: "nobody" }, ports: [{ port: 80 }] },
  },
];
const manifest = objects.map((object) => JSON.stringify(object)).join("\n---\n");

let node: TestNode;
let names: readonly string[];
beforeAll(async () => {
  node = await testNode();
  await node.ok(["up", "-d", "--image-fallback=host", "-f", "-"], { input: manifest });
  names = (await node.ok(["get", "pods", "-o", "name"])).trim().split("\n");
});
afterAll(() => node?.close());

test("logs and exec take one of the pods, and say which", async () => {
  expect(names).toHaveLength(2);
  const { stdout, stderr } = await node.peapod(["exec", "deploy/web", "--", "hostname"]);
  expect(stderr).toBe(`Found 2 pods, using pod/${stdout}`);
  expect(names).toContain(`pod/${stdout.trim()}`);
  expect((await node.peapod(["exec", "svc/web", "--", "hostname"])).stdout).toBe(stdout);
  expect(await node.ok(["logs", "deployment/web"])).toBe("listens\n");
  const all = await node.ok(["logs", "deploy/web", "--all-pods"]);
  expect(all.trimEnd().split("\n").toSorted()).toEqual(
    names.map((name) => `[${name}/server] listens`).toSorted(),
  );
});

test("why looks at every pod", async () => {
  const said = await node.ok(["why", "deploy/web"]);
  for (const name of names) expect(said).toContain(`${name}: nothing is wrong that could be seen`);
});

test("port-forward to a Service leads to its target port", async () => {
  const child = spawn(join(import.meta.dirname, "../../bin/peapod"), ["port-forward", "svc/web", ":80"], {
    env: { ...process.env, PEAPOD_RUN_DIR: node.runDir, PEAPOD_STATE_DIR: node.stateDir },
  });
  onTestFinished(async () => {
    child.kill("SIGINT");
    if (child.exitCode === null) await once(child, "exit");
  });
  let printed = "";
  child.stdout.on("data", (text) => (printed += text));
  const port = await eventually(() => /127\.0\.0\.1:(\d+) -> 8080/.exec(printed)?.[1], "the port to be told");
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect(names).toContain(`pod/${await answer.text()}`);
});

test("a Service that selects nothing: its selector is named", async () => {
  expect(await node.peapod(["logs", "svc/lost"])).toMatchObject({
    exitCode: 1,
    stderr: "error: service/lost selects no pods: app=nobody (compare 'peapod get pods --show-labels')\n",
  });
  expect((await node.peapod(["logs", "cm/kube-root-ca.crt"])).stderr).toContain(
    '"cm/kube-root-ca.crt" is neither a pod nor something that makes or selects pods',
  );
});

test("up and down take whatever the node stores, and warn of what it doesn't act on", async () => {
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
  const backend = { service: { name: "web", port: { number: 80 } } };
  const beside = [
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name: "reader" }, rules },
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "readers" }, rules },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "way-in" },
      spec: { defaultBackend: backend },
    },
  ];
  const input = beside.map((object) => JSON.stringify(object)).join("\n---\n");
  const { stdout, stderr, exitCode } = await node.peapod(["up", "-d", "-f", "-"], { input });
  expect({ stdout, exitCode }).toEqual({
    stdout: "role/reader created\nclusterrole/readers created\ningress/way-in created\n",
    exitCode: 0,
  });
  expect(stderr).toContain("Warning: Ingress is stored but not honoured yet");
  expect(await node.ok(["down", "-f", "-"], { input })).toBe(
    'role "reader" deleted\nclusterrole "readers" deleted\ningress "way-in" deleted\n',
  );
});

test("down takes a Deployment with its pods", async () => {
  const gone = await node.ok(["down", "deploy/web"]);
  expect(gone).toContain('deployment "web" deleted\n');
  expect(await node.ok(["get", "pods", "-o", "name"])).toBe("");
  expect(await node.peapod(["down", "-f", "-"], { input: manifest })).toMatchObject({ exitCode: 0 });
  expect((await node.peapod(["down", "deploy/web"])).exitCode).toBe(1);
});
