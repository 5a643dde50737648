import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

// peapod up and down on manifests of what makes pods, as a person runs them.

const launcher = join(import.meta.dirname, "../../bin/peapod");
const forever = "echo hello; trap 'exit 0' TERM; while :; do sleep 0.1; done";

let node: TestNode;
beforeAll(async () => {
  node = await testNode();
});
afterAll(() => node?.close());

function pod(app: string, script: string, spec: object = {}, image = "peapod.dev/host"): object {
  const containers = [{ name: "main", image, command: ["sh", "-c", script] }];
  return { metadata: { labels: { app } }, spec: { terminationGracePeriodSeconds: 1, containers, ...spec } };
}

function deployment(name: string, replicas: number, template: object): string {
  const spec = { replicas, selector: { matchLabels: { app: name } }, template };
  return JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec });
}

function job(name: string, script: string, spec: object = {}): string {
  const template = pod(name, script, { restartPolicy: "Never" });
  return JSON.stringify({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: { ...spec, template },
  });
}

async function podsOf(app: string): Promise<string[]> {
  const text = await node.ok(["get", "pods", "-l", `app=${app}`, "-o", "name"]);
  return text.split("\n").filter((line) => line !== "");
}

test("up -d waits for the pods of the newest template, and down -f for their end", async () => {
  const input = deployment("web", 2, pod("web", forever));
  const first = await node.ok(["up", "-d", "-f", "-"], { input });
  expect(first).toMatch(/^deployment\/web created\n(pod\/web-\w+-\w+ ready\n){2}$/);
  expect(await node.ok(["up", "-d", "-f", "-"], { input })).toContain("deployment/web unchanged\n");

  const before = await podsOf("web");
  const changed = deployment("web", 1, pod("web", `true; ${forever}`));
  expect(await node.ok(["up", "-d", "-f", "-"], { input: changed })).toMatch(
    /^deployment\/web configured\npod\/web-\w+-\w+ ready\n$/,
  );
  await eventually(async () => ((await podsOf("web")).length === 1 ? true : undefined), "one pod");
  expect(before).not.toContain((await podsOf("web"))[0]);

  const broken = deployment("web", 1, pod("web", forever, {}, "peapod.dev/nothing:here"));
  const failed = await node.peapod(["up", "-d", "-f", "-"], { input: broken });
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toMatch(/error: pod\/web-\w+-\w+ failed: container main: \w+/);
  // Until the new one works the old one stays.
  expect(await node.ok(["get", "deployment", "web"])).toMatch(/^web +1\/1 /m);

  expect(await node.ok(["down", "-f", "-"], { input })).toContain('deployment "web" deleted\n');
  expect(await podsOf("web")).toEqual([]);
});

test("attached up prints the logs of a Job's pods, also of later ones, and ends with the Job", async () => {
  const input = job("sum", "echo working", { completions: 3, parallelism: 1 });
  const done = await node.peapod(["up", "-f", "-"], { input });
  expect(done.exitCode).toBe(0);
  expect(done.stdout.match(/^\[sum-\w+ main\] working$/gm)).toHaveLength(3);

  // Its template cannot be changed: it is made anew.
  const bad = job("sum", "echo failing; exit 1", { backoffLimit: 0 });
  const failed = await node.peapod(["up", "-f", "-"], { input: bad });
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toContain("job/sum: replacing it\n");
  await node.ok(["down", "-f", "-"], { input: bad });
  expect(await node.ok(["get", "jobs", "-o", "name"])).toBe("");
});

test("attached up follows a Deployment until Ctrl-C, which removes it with its pods and what was applied beside it", async () => {
  const env = { ...process.env, PEAPOD_STATE_DIR: node.stateDir, PEAPOD_RUN_DIR: node.runDir };
  const child = spawn(launcher, ["up", "-f", "-"], { env });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk));
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "live" },
    spec: { selector: { app: "live" }, ports: [{ port: 80 }] },
  };
  child.stdin.end(`${deployment("live", 1, pod("live", forever))}\n---\n${JSON.stringify(service)}\n`);
  await eventually(() => /\[live-\w+-\w+ main\] hello/.test(printed) || undefined, "the first pod's log");
  // A pod that is deleted is replaced, and the new one's log is followed, too.
  await node.ok(["delete", (await podsOf("live"))[0] ?? ""]);
  await eventually(() => printed.match(/ main\] hello/g)?.length === 2 || undefined, "the second pod's log");
  child.kill("SIGINT");
  expect((await once(child, "exit"))[0]).toBe(130);
  expect(printed).toContain('deployment "live" deleted\n');
  expect(printed).toContain('service "live" deleted\n');
  expect(await podsOf("live")).toEqual([]);
});

test("down --all removes what makes pods before the pods", async () => {
  await node.ok(["up", "-d", "-f", "-"], { input: deployment("all", 2, pod("all", forever)) });
  expect(await node.ok(["down", "--all"])).toMatch(/^deployment "all" deleted\n/);
  expect(await node.ok(["get", "pods,rs,deploy", "-o", "name"])).toBe("");
});
