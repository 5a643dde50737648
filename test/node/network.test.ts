import { type ChildProcess, execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ipBatch } from "../../src/host/ip.ts";
import { pinNamespaces, unpinNamespaces } from "../../src/host/namespaces.ts";
import { createBridgeNetwork } from "../../src/network/bridge-network.ts";
import type { HostPort, PodNetworkRequest } from "../../src/network/types.ts";
import { createSandboxes } from "../../src/runtime/sandbox/sandboxes.ts";
import { eventually } from "../helpers/peapod.ts";
import { ask, scope, serve, testLayout, testPod } from "../helpers/pod-drivers.ts";

const node = testLayout();
const { layout } = node;
const sandboxes = createSandboxes({ layout });
const network = createBridgeNetwork({ layout });
const servers: ChildProcess[] = [];

async function server(...args: Parameters<typeof serve>): Promise<void> {
  servers.push(await serve(...args));
}

interface ConnectedPod {
  readonly request: PodNetworkRequest;
  readonly netns: string;
  readonly ip: string;
}

async function sandboxed(name: string, hostPorts: readonly HostPort[] = []): Promise<PodNetworkRequest> {
  const sandbox = await sandboxes.create(testPod(name), undefined, scope);
  const { podUID, namespace, netns = "" } = sandbox;
  return { podUID, namespace, name, netns, hostPorts };
}

async function connected(name: string, hostPorts: readonly HostPort[] = []): Promise<ConnectedPod> {
  const request = await sandboxed(name, hostPorts);
  const { ips } = await network.attach(request, scope);
  return { request, netns: request.netns, ip: ips[0] ?? "" };
}

const port = (hostPort: number, containerPort: number, rest: Partial<HostPort> = {}): HostPort => ({
  hostPort,
  containerPort,
  protocol: "TCP",
  hostIP: "",
  ...rest,
});

function leaseHolders(): string[] {
  const folder = join(layout.runDir, "network", "leases");
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
}

beforeAll(() => network.start(scope));

afterEach(async () => {
  for (const child of servers.splice(0)) child.kill("SIGKILL");
  for (const podUID of network.list()) await network.detach(podUID, scope);
  for (const { podUID } of sandboxes.list()) await sandboxes.remove(podUID, scope);
  // A detached pod's cable goes a moment later; the next test counts pods.
  await eventually(() => (network.list().length === 0 ? true : undefined), "the last cables' end");
});

afterAll(async () => {
  await network.stop(scope);
  expect(node.traces()).toEqual([]);
  expect(node.runFiles()).toEqual([]);
  node.remove();
});

describe("addresses", () => {
  test("pods reach each other by address, both ways, and themselves", async () => {
    const a = await connected("a");
    const b = await connected("b");
    await server(a.netns, "tcp", 80, "a");
    await server(b.netns, "tcp", 80, "b");
    expect(await ask(a.netns, "tcp", b.ip, 80)).toBe(`b ${a.ip}`);
    expect(await ask(b.netns, "tcp", a.ip, 80)).toBe(`a ${b.ip}`);
    expect(await ask(a.netns, "tcp", a.ip, 80)).toBe(`a ${a.ip}`);
    expect(await ask(a.netns, "tcp", "127.0.0.1", 80)).toBe("a 127.0.0.1");
    expect(await ask(undefined, "tcp", a.ip, 80)).toMatch(/^a 10\./);
  });

  test("an address comes back late, and a second attach gives the same one", async () => {
    const first = await connected("first");
    expect(await network.attach(first.request, scope)).toEqual({ ips: [first.ip] });
    await network.detach(first.request.podUID, scope);
    await sandboxes.remove(first.request.podUID, scope);
    const second = await connected("second");
    expect(second.ip).not.toBe(first.ip);
  });

  test("the next daemon knows the pods, and makes no second address", async () => {
    const pod = await connected("kept");
    const next = createBridgeNetwork({ layout });
    expect(next.find(pod.request.podUID)).toEqual({ ips: [pod.ip] });
    await next.start(scope);
    expect(next.list()).toEqual([pod.request.podUID]);
    expect(await next.attach(pod.request, scope)).toEqual({ ips: [pod.ip] });
    await server(pod.netns, "tcp", 80, "kept");
    expect(await ask(undefined, "tcp", pod.ip, 80)).toMatch(/^kept /);
  });

  test("a bridge that somebody removed is made again, and the pods that were on it reach the next one", async () => {
    const a = await connected("before");
    execFileSync("ip", ["link", "delete", `${layout.instance}0`]);
    const b = await connected("after");
    await server(b.netns, "tcp", 80, "b");
    expect(await ask(a.netns, "tcp", b.ip, 80)).toBe(`b ${a.ip}`);
  });
});

describe("ways out and in", () => {
  const outside = join(layout.runDir, "outside");
  const cable = `${layout.instance}out`;

  // A neighbour of this machine that knows no way to the pods' addresses.
  beforeAll(async () => {
    await pinNamespaces({ net: outside }, scope);
    await ipBatch(
      [
        `link add dev ${cable} up type veth peer name eth0 netns ${outside}`,
        `address add 198.51.100.1/24 dev ${cable}`,
      ],
      undefined,
      scope,
    );
    await ipBatch(["address add 198.51.100.2/24 dev eth0", "link set dev eth0 up"], outside, scope);
  });
  afterAll(async () => {
    await ipBatch([`link delete dev ${cable}`], undefined, scope);
    await unpinNamespaces([outside], scope);
  });

  test("pods reach the outside under the host's address", async () => {
    const pod = await connected("inner");
    await server(outside, "tcp", 8000, "outside");
    expect(await ask(pod.netns, "tcp", "198.51.100.2", 8000)).toBe("outside 198.51.100.1");
  });

  test("a host port is reached by 127.0.0.1, the host's addresses, the outside, other pods and its own pod", async () => {
    const pod = await connected("web", [port(28080, 80), port(28080, 53, { protocol: "UDP" })]);
    const peer = await connected("peer");
    await server(pod.netns, "tcp", 80, "web");
    await server(pod.netns, "udp", 53, "dns");
    const hostIP = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find((address) => address.family === "IPv4" && !address.internal)?.address;
    for (const address of ["127.0.0.1", hostIP ?? "", "198.51.100.1"]) {
      expect(await ask(undefined, "tcp", address, 28080), address).toMatch(/^web /);
      expect(await ask(peer.netns, "tcp", address, 28080), `${address} from a pod`).toBe(
        address === "127.0.0.1" ? "ECONNREFUSED" : `web ${peer.ip}`,
      );
    }
    expect(await ask(outside, "tcp", "198.51.100.1", 28080)).toBe("web 198.51.100.2");
    expect(await ask(pod.netns, "tcp", "198.51.100.1", 28080)).toMatch(/^web /);
    expect(await ask(undefined, "udp", "127.0.0.1", 28080)).toMatch(/^dns /);
    expect(await ask(outside, "udp", "198.51.100.1", 28080)).toBe("dns 198.51.100.2");
  });

  test("a host port on one address is not on the others", async () => {
    const pod = await connected("bound", [port(28081, 80, { hostIP: "127.0.0.1" })]);
    await server(pod.netns, "tcp", 80, "bound");
    expect(await ask(undefined, "tcp", "127.0.0.1", 28081)).toMatch(/^bound /);
    expect(await ask(outside, "tcp", "198.51.100.1", 28081)).toBe("ECONNREFUSED");
  });

  test("a pod cannot reach the host's loopback through the bridge", async () => {
    const pod = await connected("curious");
    await server(undefined, "tcp", 28082, "host");
    // What a pod with NET_ADMIN could do: send packets to 127.0.0.2 out of its interface.
    const gateway = pod.ip.replace(/\d+$/, "1");
    const script = `echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet
      ip route delete local 127.0.0.0/8 dev lo table local
      ip route add 127.0.0.2 via ${gateway} src ${pod.ip}`;
    execFileSync("nsenter", [`--net=${pod.netns}`, "--", "sh", "-ec", script]);
    expect(await ask(pod.netns, "tcp", "127.0.0.2", 28082, 1_500)).toBe("no answer");
  });

  test("a detached pod's host port is closed at once and free for the next pod", async () => {
    const first = await connected("first", [port(28083, 80)]);
    const request = await sandboxed("second", [port(28083, 80)]);
    await expect(network.attach(request, scope)).rejects.toThrow(
      "host port 28083/TCP is already used by pod default/first",
    );
    expect(network.find(request.podUID)).toBeUndefined();
    await network.detach(first.request.podUID, scope);
    expect(await ask(undefined, "tcp", "127.0.0.1", 28083)).toBe("ECONNREFUSED");
    await network.attach(request, scope);
    await server(request.netns, "tcp", 80, "second");
    expect(await ask(undefined, "tcp", "127.0.0.1", 28083)).toMatch(/^second /);
  });
});

describe("nothing is left", () => {
  test("of a pod whose namespace is not there", async () => {
    const request = { ...(await sandboxed("broken", [port(28084, 80)])), netns: "/nonexistent" };
    await expect(network.attach(request, scope)).rejects.toMatchObject({ code: "FailedCreatePodSandBox" });
    expect(network.list()).not.toContain(request.podUID);
    expect(leaseHolders()).not.toContain(request.podUID);
  });

  test("of a pod detached twice, nor of one never seen", async () => {
    const pod = await connected("gone");
    const link = readdirSync("/sys/class/net").find((name) => name.startsWith("veth") && podLink(pod, name));
    expect(link).toBeDefined();
    await Promise.all([network.detach(pod.request.podUID, scope), network.detach(pod.request.podUID, scope)]);
    await network.detach("never-seen", scope);
    expect(network.find(pod.request.podUID)).toBeUndefined();
    await sandboxes.remove(pod.request.podUID, scope);
    await network.attach(await sandboxed("after"), scope);
    await expect.poll(() => network.list()).not.toContain(pod.request.podUID);
    expect(existsSync(`/sys/class/net/${link}`)).toBe(false);
  });
});

function podLink(pod: ConnectedPod, link: string): boolean {
  return link === `veth${pod.request.podUID.replaceAll("-", "").slice(0, 11)}`;
}
