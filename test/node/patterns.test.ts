import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Channel } from "../../src/channels/types.ts";
import { eventually, runCommand, type TestNode, testNode } from "../helpers/peapod.ts";
import { podAPI } from "../helpers/pods.ts";
import { startTestRegistry, type TestRegistry } from "../helpers/registry.ts";

/** examples/patterns, each run with images from a registry, unmodified. */

const folder = join(import.meta.dirname, "../../examples/patterns");

let registry: TestRegistry;
let node: TestNode;

beforeAll(async () => {
  registry = await startTestRegistry();
  node = await testNode(["--registries-conf", registry.registriesConf]);
});
afterAll(async () => {
  await node?.close();
  await registry?.close();
});

const pod = async (name: string) => JSON.parse(await node.ok(["get", "pod", name, "-o", "json"]));
const exec = (name: string, container: string, ...command: string[]) =>
  node.peapod(["exec", name, "-c", container, "--", ...command]).then(({ stdout }) => stdout);

function said(name: string, container: string, text: string | RegExp): Promise<string> {
  return eventually(
    async () => {
      const { stdout } = await node.peapod(["logs", name, "-c", container]);
      return (typeof text === "string" ? stdout.includes(text) : text.test(stdout)) ? stdout : undefined;
    },
    `${String(text)} in the log of ${container}`,
  );
}

/** `TYPE FROM -> TO` of the channels between containers. */
async function channels(name: string): Promise<string[]> {
  const { items } = JSON.parse(await node.ok(["channels", name, "-o", "json"])) as { items: Channel[] };
  return items
    .filter(({ spec }) => spec.scope === "InterContainer")
    .map(({ spec, status }) => {
      const ends = status.endpoints.map(({ container }) => container);
      return `${spec.type} ${ends.sort().join(" ")}`;
    });
}

/** What is to be seen of each pattern. */
const outcomes: Record<string, () => Promise<void>> = {
  async "shared-volume"() {
    const page = () => exec("shared-volume", "web", "cat", "/usr/share/nginx/html/index.html");
    const first = await eventually(async () => (await page()) || undefined, "a first page");
    await eventually(async () => ((await page()) === first ? undefined : true), "another page");
    const { status } = await pod("shared-volume");
    await eventually(async () => {
      const { stdout } = await runCommand("curl", ["-sS", `http://${status.podIP}/`]);
      if (!/\d\d:\d\d:\d\d/.test(stdout)) return undefined;
      return (await channels("shared-volume")).includes("SharedFile author web") || undefined;
    }, "the page as a channel");
    // It was mounted for reading only.
    expect(
      (await node.peapod(["exec", "shared-volume", "-c", "web", "--", "touch", "/usr/share/nginx/html/x"]))
        .exitCode,
    ).not.toBe(0);
  },
  async "localhost-polling"() {
    await said("localhost-polling", "watcher", /"served":\d+\}\n.*"served":\d+\}/s);
    const { status } = await pod("localhost-polling");
    const outside = await runCommand("curl", ["-sS", "--max-time", "5", `http://${status.podIP}:9090/`]);
    expect(outside.stderr).toMatch(/refused|Couldn't connect|Failed to connect/);
    const polling = async () =>
      (await channels("localhost-polling")).includes("TCP server watcher") || undefined;
    await eventually(polling, "the polling as a channel");
  },
  async ambassador() {
    await said("ambassador", "application", "visits: 2");
    await eventually(async () => {
      const found = await channels("ambassador");
      const both = ["TCP ambassador application", "UnixStream ambassador redis"];
      return both.every((channel) => found.includes(channel)) || undefined;
    }, "the way over both channels");
  },
  async adapter() {
    const { status } = await pod("adapter");
    const metrics = await eventually(async () => {
      const { stdout } = await runCommand("curl", ["-sS", `http://${status.podIP}:9100/metrics`]);
      return /orders_total [2-9]/.test(stdout) ? stdout : undefined;
    }, "two orders");
    expect(metrics).toContain("# TYPE orders_total counter");
  },
  async "startup-order"() {
    await said("startup-order", "application", "first: OK");
    const { status } = await pod("startup-order");
    const started = (list: { name: string; state: { running?: { startedAt: string } } }[], name: string) =>
      Date.parse(list.find((each) => each.name === name)?.state.running?.startedAt ?? "");
    const server = started(status.initContainerStatuses, "database");
    expect(started(status.containerStatuses, "application") - server).toBeGreaterThanOrEqual(1_000);
    // Followed past the end: the last word is said while the server is still there.
    const log = await podAPI(node).followLog("startup-order", "application");
    await node.ok(["down", "startup-order"]);
    expect(await log.all).toContain("last: yes");
  },
  async "shared-processes"() {
    await said("shared-processes", "reloader", "asked process");
    // The signal arrived: nginx says so where its error log goes.
    await said("shared-processes", "web", "reconfiguring");
    const names = await exec("shared-processes", "reloader", "ps", "-o", "comm");
    expect(names).toContain("nginx");
  },
};

test("every pattern has an outcome", () => {
  const names = globSync("*.yaml", { cwd: folder }).map((file) => basename(file, ".yaml"));
  expect(names.sort()).toEqual(Object.keys(outcomes).sort());
});

test.each(Object.keys(outcomes))("examples/patterns/%s.yaml", async (name) => {
  const file = join(folder, `${name}.yaml`);
  // What is advised against before it runs would be a poor example.
  const check = await node.peapod(["check", file]);
  expect(check.exitCode, check.stdout + check.stderr).toBe(0);
  await node.ok(["up", "-d", "-f", file]).catch(async (error) => {
    throw new Error(`${error.message}\n${await node.ok(["describe", "pod", name])}`);
  });
  await outcomes[name]?.();
  await node.peapod(["down", name]);
});
