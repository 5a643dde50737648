import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { startTestRegistry, type TestRegistry } from "../helpers/registry.ts";

/** The first manifest that anybody tries, images pulled from a registry, by kubectl alone. */

const manifest = join(import.meta.dirname, "../fixtures/pods/http-short-connections.yaml");
const pod = "shared-port-pod";

let registry: TestRegistry;
let node: TestNode;
let kubectl: Client;
let env: NodeJS.ProcessEnv;
let program: string;

beforeAll(async () => {
  registry = await startTestRegistry();
  node = await testNode(["--registries-conf", registry.registriesConf]);
  const clients = await clientsOf(node);
  ({ kubectl, env } = clients);
  program = clients.programs.kubectl;
});
afterAll(async () => {
  await node?.close();
  await registry?.close();
});

test("apply, wait, and see what was pulled and started", async () => {
  expect(await kubectl.ok(["apply", "-f", manifest])).toBe(`pod/${pod} created\n`);
  await kubectl.ok(["wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=60s"]);
  expect(await kubectl.ok(["get", "pod", pod])).toMatch(/^shared-port-pod +2\/2 +Running +0 +\d+s$/m);
  const events = await kubectl.ok(["events", "--for", `pod/${pod}`]);
  expect(events).toMatch(
    /Normal +Pulled +Pod\/shared-port-pod +Successfully pulled image "node:18-alpine" in \S+ \(\S+ including waiting\)\. Image size: \d+ bytes\.$/m,
  );
  expect(await kubectl.ok(["apply", "--server-side", "-f", manifest])).toBe(
    `pod/${pod} serverside-applied\n`,
  );
});

test("logs -f of all containers, told apart, from some time on", async () => {
  const args = ["logs", "-f", pod, "--all-containers", "--prefix", "--since=1h"];
  const child = spawn(program, args, { env });
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (lines.length === 3) break;
  }
  child.kill();
  await once(child, "close");
  expect(new Set(lines)).toEqual(new Set([`[pod/${pod}/container-b] Hello from Container A`]));
});

test("get channels shows how the two talk", async () => {
  const seen = await eventually(async () => {
    const table = await kubectl.ok(["get", "channels"]);
    return table.includes("container-b") ? table : undefined;
  }, "the channel");
  expect(seen).toMatch(
    /^POD +FROM +TO +TYPE +ADDRESS +STATE +SENT +RECEIVED +PORT +AGE\nshared-port-pod +container-b +container-a +TCP +127\.0\.0\.1:8080 +(Active|Idle) +\S+ +\S+ +declared +\S+\n$/,
  );
  const name = (await kubectl.ok(["get", "ch", "-o", "name"])).trim();
  expect(name).toMatch(/^channel\.peapod\.dev\/shared-port-pod-tcp-8080-/);
  const columns =
    "-o=custom-columns=FROM:.status.endpoints[?(@.role=='Client')].container,NEEDS:.status.needsPort";
  expect(await kubectl.ok(["get", name, columns])).toBe("FROM          NEEDS\ncontainer-b   true\n");
});

test("delete -f removes it", async () => {
  expect(await kubectl.ok(["delete", "-f", manifest, "--now"])).toBe(
    `pod "${pod}" deleted from default namespace\n`,
  );
  expect((await kubectl.run(["get", "pods"])).stderr).toBe("No resources found in default namespace.\n");
});
