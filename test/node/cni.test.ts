import type { ChildProcess } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { deleteLink } from "../../src/host/ip.ts";
import { createCNINetwork } from "../../src/network/cni-network.ts";
import type { HostPort, PodNetworkRequest } from "../../src/network/types.ts";
import { createSandboxes } from "../../src/runtime/sandbox/sandboxes.ts";
import { ask, scope, serve, testLayout, testPod } from "../helpers/pod-drivers.ts";

/** Debian's package containernetworking-plugins puts them here. */
const binDirs = ["/opt/cni/bin", "/usr/lib/cni"];

const node = testLayout();
const { layout, folder } = node;
const confDir = join(folder, "net.d");
const bridge = `${layout.instance}cni`;
const sandboxes = createSandboxes({ layout });
const newDriver = () => createCNINetwork({ layout, confDir, binDirs });
let network = newDriver();
let server: ChildProcess | undefined;

function configure(plugins: readonly object[]): void {
  mkdirSync(confDir, { recursive: true });
  writeFileSync(
    join(confDir, "10-test.conflist"),
    JSON.stringify({ cniVersion: "1.0.0", name: layout.instance, plugins }),
  );
}

const ipam = {
  type: "host-local",
  dataDir: join(folder, "ipam"),
  ranges: [[{ subnet: "198.18.77.0/24" }]],
  routes: [{ dst: "0.0.0.0/0" }],
};
const bridgePlugin = { type: "bridge", bridge, isGateway: true, ipMasq: true, ipam };
const portmapPlugin = { type: "portmap", capabilities: { portMappings: true } };

async function request(name: string, hostPorts: readonly HostPort[] = []): Promise<PodNetworkRequest> {
  const { podUID, namespace, netns = "" } = await sandboxes.create(testPod(name), undefined, scope);
  return { podUID, namespace, name, netns, hostPorts };
}

beforeEach(async () => {
  configure([bridgePlugin, portmapPlugin]);
  network = newDriver();
  await network.start(scope);
});
afterEach(async () => {
  server?.kill("SIGKILL");
  await network.stop(scope);
  for (const { podUID } of sandboxes.list()) await sandboxes.remove(podUID, scope);
  expect(leases()).toEqual([]);
});
afterAll(async () => {
  await deleteLink(bridge, scope);
  expect(node.runFiles()).toEqual([]);
  rmSync(folder, { recursive: true });
});

function leases(): string[] {
  try {
    return readdirSync(join(folder, "ipam", layout.instance)).filter((name) => /^[\d.]+$/.test(name));
  } catch {
    return [];
  }
}

test("plugins give address, routes and host ports, and take them back; also for the next daemon", async () => {
  const port: HostPort = { hostPort: 28180, containerPort: 80, protocol: "TCP", hostIP: "" };
  const pod = await request("web", [port]);
  const { ips } = await network.attach(pod, scope);
  expect(ips).toEqual([expect.stringMatching(/^198\.18\.77\./)]);
  server = await serve(pod.netns, "tcp", 80, "web");
  expect(await ask(undefined, "tcp", ips[0] ?? "", 80)).toMatch(/^web /);
  expect(await ask(undefined, "tcp", "127.0.0.1", 28180)).toMatch(/^web /);
  expect(await ask(pod.netns, "tcp", "127.0.0.1", 80)).toBe("web 127.0.0.1");

  const next = newDriver();
  expect(next.find(pod.podUID)).toEqual({ ips });
  expect(await next.attach(pod, scope)).toEqual({ ips });
  await next.detach(pod.podUID, scope);
  await next.detach(pod.podUID, scope);
  expect(next.list()).toEqual([]);
  expect(await ask(undefined, "tcp", "127.0.0.1", 28180)).toBe("ECONNREFUSED");
  network = next;
});

test("a network in a namespace that is gone is made anew in the new one; a damaged one is kept", async () => {
  const pod = await request("rebooted");
  const { ips } = await network.attach(pod, scope);
  rmSync(join(folder, "ipam", layout.instance, ips[0] ?? ""));
  expect(await network.attach(pod, scope)).toEqual({ ips });
  const other = await request("new-namespace");
  const { ips: again } = await network.attach({ ...other, podUID: pod.podUID }, scope);
  expect(again).not.toEqual(ips);
  expect(leases()).toEqual(again);
});

test("nothing is left when a later plugin fails, and its own words are passed on", async () => {
  configure([bridgePlugin, { ...portmapPlugin, snat: "no boolean" }]);
  await expect(network.attach(await request("broken"), scope)).rejects.toThrow(
    /^CNI ADD portmap: .*cannot unmarshal string/,
  );
  expect(network.list()).toEqual([]);
  expect(leases()).toEqual([]);
});

test("host ports need a plugin that publishes them", async () => {
  configure([bridgePlugin]);
  const port: HostPort = { hostPort: 28181, containerPort: 80, protocol: "TCP", hostIP: "" };
  await expect(network.attach(await request("ports", [port]), scope)).rejects.toThrow(
    `hostPort: no plugin of CNI network ${layout.instance} has the capability portMappings`,
  );
});

test("no configuration, or a plugin that is not there, is said so", async () => {
  configure([{ type: "no-such-plugin" }]);
  await expect(network.attach(await request("lost"), scope)).rejects.toThrow(
    "CNI plugin no-such-plugin is in none of /opt/cni/bin, /usr/lib/cni",
  );
  rmSync(confDir, { recursive: true });
  await expect(newDriver().start(scope)).rejects.toThrow(`no CNI configuration in ${confDir}`);
});
