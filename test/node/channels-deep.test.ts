import { execFileSync } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { quietScope } from "../../src/base/scope.ts";
import { createChannelObserver } from "../../src/channels/observer.ts";
import { PodSampler } from "../../src/channels/pod-sampler.ts";
import type { Channel } from "../../src/channels/types.ts";
import { createCgroupCounters } from "../../src/network/counters/cgroup-counters.ts";
import { HandMadePod } from "../fixtures/hand-made-pod.ts";

const scope = quietScope();
const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Words for talk.py: several programs in one container. */
const together = (...programs: string[]) => programs.join(" -- ").split(" ");

function only(channels: readonly Channel[], type: string, address: string): Channel {
  const found = channels.filter(
    ({ spec, status }) => spec.type === type && spec.address === address && status.endpoints.length === 2,
  );
  expect(found.length, JSON.stringify(channels, undefined, 1)).toBe(1);
  return found[0] as Channel;
}

const ends = ({ status }: Channel) => status.endpoints.map(({ role, container }) => `${role} ${container}`);

test("the deep look: short Unix connections, bytes of sockets, FIFOs and queues, datagrams, posts", async () => {
  const pod = new HandMadePod("pod");
  undo.push(() => pod.remove());
  await pod.ready();
  const observer = createChannelObserver({
    pods: { runningPods: () => [pod.observed()] },
    counters: { available: () => ({ ok: false, reason: "switched off" }) },
    busyInterval: 300,
  });
  observer.start(scope);
  undo.push(() => observer.stop());
  await pod.run("server", {
    talk: together(
      "unix-echo stream VOLUME/s.sock",
      "unix-echo seqpacket VOLUME/q.sock",
      "unix-echo stream @abstract",
      "unix-receive VOLUME/d.sock",
      "fifo-read VOLUME/f",
      "sysv-sem-wait 0x21",
      "sysv-msg 0x22 receive",
      "posix-mq /jobs receive",
      "udp-server 5353",
      "udp-server 5354",
      "udp6-server 5355",
    ),
  });
  const gated = [
    "unix-short stream VOLUME/s.sock 1000 500",
    "unix-short seqpacket VOLUME/q.sock 10 100",
    "unix-long @abstract 10000000",
    "unix-send VOLUME/d.sock 100 70",
    "fifo-write VOLUME/f 10000000",
    "sysv-sem-post 0x21 30",
    "sysv-send 0x22 40 100",
    "posix-send /jobs 50 20",
    "udp-unconnected 5353",
    "udp-connected 5354",
    "udp6-unconnected 5355",
  ].map((program) => `after VOLUME/go ${program}`);
  await pod.run("client", { talk: together(...gated) });

  // The first deep answer comes when it counts.
  const first = await observer.list(scope, { deep: true });
  expect(first.missing.map(({ layer }) => layer)).toEqual(["bpf"]);
  writeFileSync(join(pod.volume, "go"), "");
  const look = async () => (await observer.list(scope, { deep: true })).channels;
  const traffic = async (type: string, address: string) => {
    const { status } = only(await look(), type, address);
    const { since, ...counted } = status.traffic ?? {};
    expect(since).toMatch(/^20/);
    return [status.connections?.total, counted];
  };
  const expectTraffic = (type: string, address: string, expected: unknown) =>
    expect
      .poll(() => traffic(type, address).catch(String), { timeout: 30_000, interval: 500 })
      .toEqual(expected);

  const both = (bytes: number, operations: number) => ({
    clientToServer: { bytes, operations },
    serverToClient: { bytes, operations },
  });
  await expectTraffic("UnixStream", "shared:/s.sock", [1000, both(500_000, 1000)]);
  await expectTraffic("UnixSeqpacket", "shared:/q.sock", [10, both(1000, 10)]);
  await expectTraffic("UnixStream", "@abstract", [
    1,
    {
      clientToServer: { bytes: 10_000_000, operations: 1000 },
      serverToClient: { bytes: 10_000_000, operations: expect.any(Number) },
    },
  ]);
  await expectTraffic("UnixDatagram", "shared:/d.sock", [
    undefined,
    { clientToServer: { bytes: 7000, operations: 100 } },
  ]);
  await expectTraffic("FIFO", "shared:/f", [
    undefined,
    { clientToServer: { bytes: 10_000_000, operations: 1000 } },
  ]);
  await expectTraffic("SysVMessageQueue", "key 0x00000022 id 0", [
    undefined,
    { clientToServer: { bytes: 4000, operations: 40 } },
  ]);
  await expectTraffic("POSIXMessageQueue", "/jobs", [
    undefined,
    { clientToServer: { bytes: 1000, operations: 50 } },
  ]);
  const semaphore = async () => ends(only(await look(), "SysVSemaphore", "key 0x00000021 id 0"));
  await expect.poll(semaphore).toEqual(["Sender client", "Receiver server"]);
  // A look may come between the count of a datagram's bytes and that of its call.
  for (const [address, size] of [
    ["127.0.0.1:5353", 50],
    ["127.0.0.1:5354", 100],
    ["[::1]:5355", 50],
  ] as const) {
    const seen = async () => {
      const udp = only(await look(), "UDP", address);
      const { bytes = 0, operations = 0 } = udp.status.traffic?.clientToServer ?? {};
      return { ends: ends(udp), isExact: operations > 0 && bytes === operations * size };
    };
    await expect.poll(seen).toEqual({ ends: ["Server server", "Client client"], isExact: true });
  }
  const channels = await look();
  for (const [type, address] of [
    ["UnixStream", "shared:/s.sock"],
    ["UnixDatagram", "shared:/d.sock"],
  ] as const) {
    expect(ends(only(channels, type, address))).toEqual(["Server server", "Client client"]);
  }
});

test("a machine without bpftrace: said, and the rest goes on", async () => {
  const pod = new HandMadePod("pod");
  undo.push(() => pod.remove());
  await pod.ready();
  await pod.run("a", { talk: together("unix-echo stream @x") });
  const path = process.env.PATH;
  process.env.PATH = "";
  undo.push(async () => {
    process.env.PATH = path;
  });
  const observer = createChannelObserver({
    pods: { runningPods: () => [pod.observed()] },
    counters: { available: () => ({ ok: true }) },
  });
  undo.push(() => observer.stop());
  const { missing } = await observer.list(scope, { deep: true });
  expect(missing.find(({ layer }) => layer === "bpftrace")?.reason).toMatch(/signals are unknown: /);
});

test("a hundred looks of every layer leave everything as it was: blocked opens, queues, memory, times", async () => {
  const pod = new HandMadePod("pod");
  undo.push(() => pod.remove());
  await pod.ready();
  const counters = await createCgroupCounters();
  for (const name of ["w", "r"]) counters.install(`${pod.cgroup}/${name}`);
  const observer = createChannelObserver({
    pods: { runningPods: () => [pod.observed()] },
    counters,
    busyInterval: 50,
  });
  observer.start(scope);
  undo.push(() => observer.stop());
  for (const name of ["no-reader", "no-writer", "full"]) execFileSync("mkfifo", [join(pod.volume, name)]);
  await pod.run("w", {
    talk: together(
      "fifo-hold VOLUME/no-reader w",
      "fifo-full VOLUME/full",
      "sysv-shm 0x41 8192 rw",
      "sysv-send 0x42 5 100",
      "posix-send /waiting 5 20",
      "file-write-once VOLUME/once",
    ),
  });
  await pod.run("r", {
    talk: together(
      "fifo-hold VOLUME/no-writer r",
      "fifo-mute VOLUME/full",
      "sysv-shm 0x41 8192 r",
      "file-read-once VOLUME/once",
    ),
  });
  const inPod = (...command: string[]) =>
    execFileSync("nsenter", [`--ipc=${pod.observed().ipcns}`, ...command], { encoding: "utf8" });
  const queueSize = () =>
    inPod("unshare", "-m", "sh", "-c", "mount -t mqueue none /mnt && cat /mnt/waiting").trim();
  const state = () => ({
    files: ["no-reader", "no-writer", "full", "once"].map((name) => {
      const { mtimeMs, atimeMs } = statSync(join(pod.volume, name));
      return [mtimeMs, atimeMs];
    }),
    memory: inPod("cat", "/proc/sysvipc/shm"),
    messages: inPod("cat", "/proc/sysvipc/msg"),
    queue: queueSize(),
  });
  const reasons = async () =>
    Object.fromEntries(
      (await observer.list(scope, { deep: true })).channels
        .filter(({ spec }) => spec.type === "FIFO")
        .map(({ spec, status }) => [spec.address, status.reason]),
    );
  const truth = {
    "shared:/no-reader": "w waits in open(2) to write: no reader has the FIFO open",
    "shared:/no-writer": "r waits in open(2) to read: no writer has the FIFO open",
    "shared:/full": "w waits in write(2): the FIFO is full",
  };
  // The first deep look waits for its tracer.
  await reasons();
  await expect.poll(reasons, { timeout: 20_000, interval: 200 }).toEqual(truth);
  const { missing } = await observer.list(scope, { deep: true });
  expect(missing).toEqual([]);

  const before = state();
  // Beside the observer's own looks with counters, events and the deep look.
  const sampler = new PodSampler();
  undo.push(async () => sampler.close());
  for (let i = 0; i < 100; i += 1) await sampler.look(pod.observed(), Date.now());
  await observer.list(scope, { deep: true });
  expect(state()).toEqual(before);
  expect(await reasons()).toEqual(truth);
});
