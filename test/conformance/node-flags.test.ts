import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand, type TestNode, testNode } from "../helpers/peapod.ts";

let node: TestNode;
beforeAll(async () => {
  node = await testNode([
    "--pod-cidr=10.231.7.0/24",
    "--allowed-unsafe-sysctls=net.core.*",
    "--runtime=runc",
  ]);
});
afterAll(() => node?.close());

async function status(): Promise<{ flags: Record<string, string>; runtime: string }> {
  return JSON.parse(await node.ok(["node", "status", "-o", "json"]));
}

test("a node that starts by itself has the flags of the last node start", async () => {
  const flags = {
    "pod-cidr": "10.231.7.0/24",
    "allowed-unsafe-sysctls": "net.core.*",
    runtime: "runc",
  };
  expect(await status()).toMatchObject({ flags });
  await node.killDaemon();
  await node.ok(["get", "pods"]);
  const now = await status();
  expect(now).toMatchObject({ flags });
  expect(now.runtime).toMatch(/^runc:/);
  expect(await node.ok(["node", "status"])).toContain("--pod-cidr=10.231.7.0/24 ");
  expect((await runCommand("ip", ["-o", "address"])).stdout).toContain(" 10.231.7.1/24 ");
});

test("other flags replace them, none keep them, --defaults forgets them", async () => {
  await node.ok(["node", "stop"]);
  await node.ok(["node", "start", "--log-level=warn"]);
  expect((await status()).flags).toEqual({ "log-level": "warn" });
  await node.ok(["node", "stop"]);
  await node.ok(["node", "start"]);
  expect((await status()).flags).toEqual({ "log-level": "warn" });
  await node.ok(["node", "stop"]);
  await node.ok(["node", "start", "--defaults"]);
  expect((await status()).flags).toEqual({});
});

test("flags with which it does not start are not kept", async () => {
  await node.ok(["node", "stop"]);
  const failed = await node.peapod(["node", "start", "--runtime=/no/such/runtime"]);
  expect(failed.exitCode).not.toBe(0);
  await node.ok(["node", "start"]);
  expect((await status()).flags).toEqual({});
});
