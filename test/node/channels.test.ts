import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { quietScope } from "../../src/base/scope.ts";
import { createChannelObserver } from "../../src/channels/observer.ts";
import type { Channel, ChannelObserver, MissingEvidence } from "../../src/channels/types.ts";
import { VolumeWatch } from "../../src/channels/volume-watch.ts";
import { createCgroupCounters } from "../../src/network/counters/cgroup-counters.ts";
import { type HandMadeContainer, HandMadePod } from "../fixtures/hand-made-pod.ts";
import { slower } from "../helpers/patience.ts";

const scope = quietScope();
const talk = join(import.meta.dirname, "../fixtures/workloads/talk.py");
const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

interface Look {
  readonly channels: readonly Channel[];
  readonly missing: readonly MissingEvidence[];
}

/** A pod of these containers, with counters, and an observer of it. */
async function observe(
  containers: Record<string, HandMadeContainer>,
  options: { counters?: boolean } = {},
): Promise<{ pod: HandMadePod; observer: ChannelObserver; look: () => Promise<Look> }> {
  const pod = new HandMadePod("pod");
  undo.push(() => pod.remove());
  await pod.ready();
  const counters =
    options.counters === false
      ? {
          available: () => ({ ok: false as const, reason: "switched off" }),
          install: () => {},
        }
      : await createCgroupCounters();
  for (const name of Object.keys(containers)) counters.install(`${pod.cgroup}/${name}`);
  const observer = createChannelObserver({
    pods: { runningPods: () => [pod.observed()] },
    counters,
    busyInterval: 200,
  });
  observer.start(scope);
  undo.push(() => observer.stop());
  for (const [name, container] of Object.entries(containers)) await pod.run(name, container);
  return { pod, observer, look: () => observer.list(scope) };
}

const senders = ["Client", "Writer", "Sender", "Peer"];

/** `from -> to TYPE address` of every channel with two ends; `from == to` where neither is the sender. */
function edges(channels: readonly Channel[]): string[] {
  return channels
    .flatMap(({ spec, status }) => {
      const { endpoints } = status;
      if (endpoints.length < 2 || status.state === "Closed") return [];
      const name = (end: (typeof endpoints)[number]) => end.container ?? "outside";
      const peers = endpoints.every(({ role }) => role === "Peer");
      const from = endpoints.filter(({ role }) => senders.includes(role)).map(name);
      const to = endpoints.filter(({ role }) => !senders.includes(role)).map(name);
      const ends = peers
        ? endpoints.map(name).sort().join(" == ")
        : `${from.sort().join("+")} -> ${to.sort().join("+")}`;
      return [`${ends} ${spec.type} ${spec.address}`];
    })
    .sort();
}

/** Looks until the edges are these, then looks on for a while: none may come that isn't true. */
async function expectEdges(look: () => Promise<Look>, expected: string[]): Promise<readonly Channel[]> {
  const truth = [...expected].sort();
  await expect
    .poll(async () => edges((await look()).channels), { timeout: 20_000, interval: 100 })
    .toEqual(truth);
  for (let i = 0; i < 5; i += 1) {
    await scope.clock.sleep(150, scope.signal);
    expect(edges((await look()).channels)).toEqual(truth);
  }
  return (await look()).channels;
}

function only(channels: readonly Channel[], match: (channel: Channel) => boolean): Channel {
  const found = channels.filter(match);
  expect(found.length, JSON.stringify(channels, undefined, 1)).toBe(1);
  return found[0] as Channel;
}

describe("TCP", () => {
  test("long and short connections: who, where to, how many, how many bytes", async () => {
    const { look } = await observe({
      server: {
        talk: [
          "tcp-server",
          "0.0.0.0",
          "8080",
          "--",
          "tcp-server",
          "::",
          "9000",
          "--",
          "tcp-server",
          "127.0.0.1",
          "7000",
        ],
        ports: [8080],
      },
      long: { talk: ["tcp-long", "127.0.0.1", "9000", "10000000"] },
      short: { talk: ["tcp-short", "127.0.0.1", "8080", "101", "500"] },
    });
    await expectEdges(look, ["long -> server TCP 127.0.0.1:9000", "short -> server TCP 127.0.0.1:8080"]);
    await expect
      .poll(
        async () => {
          const { channels } = await look();
          const short = only(
            channels,
            ({ spec, status }) => spec.port === 8080 && status.endpoints.length === 2,
          );
          const long = only(channels, ({ spec }) => spec.port === 9000);
          return [short.status.connections, short.status.traffic, long.status.traffic];
        },
        { timeout: 10_000 * slower },
      )
      .toEqual([
        { open: 0, total: 101 },
        { clientToServer: { bytes: 50_000 }, serverToClient: { bytes: 50_000 } },
        { clientToServer: { bytes: 10_000_000 }, serverToClient: { bytes: 10_000_000 } },
      ]);
    const { channels, missing } = await look();
    expect(missing).toEqual([]);
    const long = only(channels, ({ spec }) => spec.port === 9000);
    expect(long.status).toMatchObject({
      needsPort: true,
      declared: false,
      connections: { open: 1, total: 1 },
      traffic: { clientToServer: { bytes: 10_000_000 }, serverToClient: { bytes: 10_000_000 } },
      endpoints: [
        { container: "server", role: "Server", process: "python3" },
        { container: "long", role: "Client", process: "python3", pid: 1 },
      ],
    });
    const short = only(channels, ({ spec }) => spec.port === 8080);
    expect(short.status).toMatchObject({ needsPort: true, declared: true });
    expect(short.metadata.name).toMatch(/^pod-tcp-8080-[0-9a-f]{4}$/);
    const idle = only(channels, ({ spec }) => spec.port === 7000);
    expect(idle.status.state).toBe("Listening");
  });

  test("nobody listens, nobody accepts, a container that talks to itself", async () => {
    const { look } = await observe({
      a: { talk: ["tcp-mute-server", "8081"] },
      b: { talk: ["tcp-refused", "9999", "3"] },
      c: {
        talk: [
          ...["tcp-server", "127.0.0.1", "8082", "--", "tcp-long", "127.0.0.1", "8082", "10", "--"],
          ...["tcp-long", "127.0.0.1", "8081", "10"],
        ],
      },
      d: { talk: ["tcp-flood", "8082"] },
    });
    const channels = await expectEdges(look, [
      "c -> a TCP 127.0.0.1:8081",
      "c -> c TCP 127.0.0.1:8082",
      "d -> c TCP 127.0.0.1:8082",
    ]);
    expect(only(channels, ({ spec }) => spec.scope === "IntraContainer").spec.port).toBe(8082);
    const refused = only(channels, ({ spec }) => spec.port === 9999);
    expect(refused.status).toMatchObject({ state: "Blocked", reason: "nothing listens on 127.0.0.1:9999" });
    expect(refused.status.endpoints).toEqual([{ container: "b", role: "Client" }]);
    expect(only(channels, ({ spec }) => spec.port === 8081).status).toMatchObject({
      state: "Blocked",
      reason: "the server has not accepted the connection: 1 wait in a backlog of 2",
    });
    const flooded = async () =>
      only((await look()).channels, ({ status }) =>
        status.endpoints.some(({ container }) => container === "d"),
      );
    await expect.poll(async () => (await flooded()).status.state, { timeout: 15_000 }).toBe("Blocked");
    expect((await flooded()).status.reason).toMatch(
      /^the (server|client) does not read: \d+ bytes wait to be sent$/,
    );
  });

  test("without counters the client of short connections is unknown, and that is said", async () => {
    const { look } = await observe(
      {
        server: { talk: ["tcp-server", "127.0.0.1", "8080"] },
        short: { talk: ["tcp-short", "127.0.0.1", "8080", "20", "10"] },
      },
      { counters: false },
    );
    await expect
      .poll(async () => edges((await look()).channels), { timeout: 10_000 })
      .toContainEqual("outside -> server TCP 127.0.0.1:8080");
    const { channels, missing } = await look();
    const past = only(
      channels,
      ({ spec, status }) =>
        spec.port === 8080 && status.endpoints.length === 2 && status.endpoints[1]?.container === undefined,
    );
    expect(past.spec.scope).toBe("InterContainer");
    expect(past.status.evidence[0]?.detail).toContain("client unknown");
    expect(missing).toContainEqual({ layer: "bpf", reason: "switched off" });
  });
});

test("what waits for another container's change: inotify on a shared folder, a named semaphore", async () => {
  const { look } = await observe({
    config: { script: `mkdir $VOLUME/conf; exec /usr/bin/python3 ${talk} file-replace $VOLUME/conf/app.ini` },
    app: { talk: ["file-watch", "VOLUME/conf", "--", "posix-sem-wait", "/gate"] },
    gate: { talk: ["posix-sem", "/gate"] },
  });
  const evidenceOf = async (address: string) => {
    const found = (await look()).channels.find(({ spec }) => spec.address === address);
    return found === undefined
      ? undefined
      : {
          type: found.spec.type,
          state: found.status.state,
          ends: found.status.endpoints.map(({ container, role }) => `${container} ${role}`),
          details: found.status.evidence.map(({ detail }) => detail.replace(/ changed .*Z/, "")).join("\n"),
        };
  };
  await expect
    .poll(() => evidenceOf("shared:/conf"), { timeout: 20_000 })
    .toEqual({
      type: "SharedFile",
      state: "Active",
      ends: ["config Writer", "app Reader"],
      details: "app: python3 watches shared:/conf (inotify),\nconfig: python3 wrote shared:/conf/app.ini.new",
    });
  await expect
    .poll(async () => (await evidenceOf("/gate"))?.details, { timeout: 20_000 })
    .toContain("app: python3 waits in sem_wait(3); who posts can't be seen");
  await expect
    .poll(async () => (await evidenceOf("/gate"))?.ends.sort(), { timeout: 20_000 })
    .toEqual(["app Peer", "gate Peer"]);
});

describe("files that are open for an instant", () => {
  test("who wrote, who read, also of a process that is gone; a busy container is left alone for a while", async () => {
    const { look, pod } = await observe({
      writer: { script: "while sleep 0.2; do date > $VOLUME/now; done" },
      reader: { script: "while sleep 0.2; do cat $VOLUME/now; done >/dev/null" },
      // Each its own file, more than the observer takes in at one look.
      busy: {
        script:
          "until test -e $VOLUME/go; do sleep 0.1; done; for i in $(seq 3000); do echo > $VOLUME/$i; done; exec sleep 1000",
      },
    });
    const channels = await expectEdges(look, ["writer -> reader SharedFile shared:/now"]);
    const { status } = only(channels, ({ spec }) => spec.type === "SharedFile");
    expect(status).toMatchObject({
      state: "Active",
      needsPort: false,
      endpoints: [
        { container: "writer", role: "Writer", path: `${pod.mountPath("writer")}/now` },
        { container: "reader", role: "Reader", path: `${pod.mountPath("reader")}/now` },
      ],
    });
    writeFileSync(join(pod.volume, "go"), "");
    await expect.poll(() => existsSync(join(pod.volume, "3000")), { timeout: 20_000 }).toBe(true);
    await expectEdges(look, ["writer -> reader SharedFile shared:/now"]);
  });
});

test("containers of several pods share groups of events, and an event counts for its own pod", async () => {
  const pods = ["one", "other"].map((name) => new HandMadePod(name));
  for (const pod of pods) {
    undo.push(() => pod.remove());
    await pod.ready();
    await pod.run("a", { script: `while sleep 0.1; do echo > $VOLUME/${pods.indexOf(pod)}; done` });
    await pod.run("b", { script: "while sleep 0.1; do cat $VOLUME/*; done >/dev/null 2>&1" });
  }
  const watch = new VolumeWatch(() => pods.map((pod) => pod.observed()), 2);
  undo.push(async () => watch.close());
  await watch.start();
  const usersOf = () => {
    watch.look(Date.now());
    return pods.map(({ uid }) =>
      watch
        .usesOf(uid)
        .map(({ container, label, access }) => `${container} ${access} ${label}`)
        .sort(),
    );
  };
  await expect
    .poll(usersOf, { timeout: 10_000 * slower })
    .toEqual([0, 1].map((name) => [`a write shared:/${name}`, `b read shared:/${name}`]));
  expect(watch.missing).toBeUndefined();
});

test("more containers of one volume than there are groups of events: said for how many, and the rest is watched", async () => {
  const pod = new HandMadePod("pod");
  undo.push(() => pod.remove());
  await pod.ready();
  for (const name of ["a", "b"])
    await pod.run(name, { script: "while sleep 0.1; do echo > $VOLUME/x; done" });
  const watch = new VolumeWatch(() => [pod.observed()], 1);
  undo.push(async () => watch.close());
  await watch.start();
  const usersOf = () => {
    watch.look(Date.now());
    return watch.usesOf(pod.uid).map(({ container, label, access }) => `${container} ${access} ${label}`);
  };
  await expect.poll(usersOf, { timeout: 10_000 }).toEqual(["a write shared:/x"]);
  expect(watch.missing).toMatch(/for 1 of the containers: at most 1 groups are taken/);
});

test("UDP, connected or not", async () => {
  const { look } = await observe({
    server: { talk: ["udp-server", "5353"] },
    connected: { talk: ["udp-connected", "5353"] },
    unconnected: { talk: ["udp-unconnected", "5353"] },
    lost: { talk: ["udp-unconnected", "8125"] },
    refused: { talk: ["udp-connected", "8126"] },
  });
  const channels = await expectEdges(look, [
    "connected -> server UDP 127.0.0.1:5353",
    "unconnected -> server UDP 127.0.0.1:5353",
  ]);
  const traffic = (container: string) =>
    only(channels, ({ status }) => status.endpoints.some((end) => end.container === container)).status
      .traffic;
  expect(traffic("unconnected")?.clientToServer?.operations).toBeGreaterThan(0);
  expect(traffic("unconnected")?.clientToServer?.bytes, "only the deep look knows").toBeUndefined();
  expect(traffic("connected"), "only the deep look knows").toBeUndefined();
  const unserved = async () =>
    (await look()).channels
      .filter(({ status }) => status.state === "Blocked")
      .map(({ status }) => `${status.endpoints.map(({ container }) => container)}: ${status.reason}`)
      .sort();
  await expect
    .poll(unserved, { timeout: 10_000 })
    .toEqual(["lost: nothing receives on 127.0.0.1:8125", "refused: nothing receives on 127.0.0.1:8126"]);
});

test("Unix sockets by path, abstract, of each type, and a socket file that nobody serves", async () => {
  const { look, pod } = await observe({
    server: {
      talk: [
        ...[
          "unix-server",
          "stream",
          "VOLUME/s.sock",
          "--",
          "unix-server",
          "seqpacket",
          "VOLUME/q.sock",
          "--",
        ],
        ...["unix-server", "dgram", "VOLUME/d.sock", "--", "unix-server", "stream", "@abstract", "--"],
        ...["unix-stale", "VOLUME/old.sock"],
      ],
    },
    client: {
      talk: [
        ...[
          "unix-client",
          "stream",
          "VOLUME/s.sock",
          "--",
          "unix-client",
          "seqpacket",
          "VOLUME/q.sock",
          "--",
        ],
        ...["unix-client", "dgram", "VOLUME/d.sock", "--", "unix-client", "stream", "@abstract"],
      ],
    },
  });
  const channels = await expectEdges(look, [
    "client -> server UnixStream shared:/s.sock",
    "client -> server UnixSeqpacket shared:/q.sock",
    "client -> server UnixDatagram shared:/d.sock",
    "client -> server UnixStream @abstract",
  ]);
  const byPath = only(channels, ({ spec }) => spec.address === "shared:/s.sock");
  expect(byPath.status.needsPort).toBe(false);
  expect(byPath.status.endpoints.map(({ path }) => path)).toEqual([
    join(pod.mountPath("server"), "s.sock"),
    join(pod.mountPath("client"), "s.sock"),
  ]);
  const stale = only(channels, ({ spec }) => spec.address === "shared:/old.sock");
  expect(stale.status.state).toBe("Stale");
});

describe("FIFO", () => {
  test("opened for an instant every two seconds, in both directions", async () => {
    const loop = (write: string, read: string) =>
      `while true; do echo hello > $VOLUME/${write}; sleep 0.7; cat $VOLUME/${read}; sleep 0.7; done`;
    const { look } = await observe({
      writer: {
        script:
          "mkfifo $VOLUME/my_pipe; while true; do echo 'Hello from writer' > $VOLUME/my_pipe; sleep 2; done",
      },
      reader: { script: "while true; do cat $VOLUME/my_pipe >/dev/null; sleep 2; done" },
      ping: { script: `mkfifo $VOLUME/there $VOLUME/back; ${loop("there", "back")}` },
      pong: {
        // Until ping has made it, a shell would make a file of that name.
        script:
          "until test -p $VOLUME/back; do sleep 0.05; done; while true; do cat $VOLUME/there; sleep 0.1; echo ok > $VOLUME/back; sleep 0.1; done",
      },
    });
    const channels = await expectEdges(look, [
      "writer -> reader FIFO shared:/my_pipe",
      "ping -> pong FIFO shared:/there",
      "pong -> ping FIFO shared:/back",
    ]);
    const channel = only(channels, ({ spec }) => spec.address === "shared:/my_pipe");
    expect(channel.status.needsPort).toBe(false);
    expect(channel.spec.scope).toBe("InterContainer");
  });

  test("blocked peers are told, and stay blocked however often one looks", async () => {
    const { look, pod } = await observe({
      w: {
        script: `mkfifo $VOLUME/no-reader $VOLUME/no-writer $VOLUME/full $VOLUME/lone; touch $VOLUME/made
          exec /usr/bin/python3 ${talk} fifo-hold $VOLUME/no-reader w -- fifo-full $VOLUME/full -- fifo-hold $VOLUME/lone rw`,
      },
      r: {
        script: `until test -e $VOLUME/made; do sleep 0.05; done
          exec /usr/bin/python3 ${talk} fifo-hold $VOLUME/no-writer r -- fifo-mute $VOLUME/full -- sysv-shm 0x77 8192 rw`,
      },
    });
    await expectEdges(look, ["w -> r FIFO shared:/full"]);
    const reasons = (all: readonly Channel[]) =>
      Object.fromEntries(
        all
          .filter(({ spec }) => spec.type === "FIFO")
          .map(({ spec, status }) => [spec.address, status.reason]),
      );
    const truth = {
      "shared:/no-reader": "w waits in open(2) to write: no reader has the FIFO open",
      "shared:/no-writer": "r waits in open(2) to read: no writer has the FIFO open",
      "shared:/full": "w waits in write(2): the FIFO is full",
      "shared:/lone": undefined,
    };
    await expect.poll(async () => reasons((await look()).channels), { timeout: 20_000 }).toEqual(truth);

    const times = () =>
      ["no-reader", "no-writer", "full"].map(
        (name) => statSync(join(pod.volume, name)).mtimeMs + statSync(join(pod.volume, name)).atimeMs,
      );
    const attached = () =>
      execFileSync("nsenter", [`--ipc=${pod.observed().ipcns}`, "cat", "/proc/sysvipc/shm"], {
        encoding: "utf8",
      })
        .split("\n")[1]
        ?.trim()
        .split(/\s+/)
        .slice(4, 7);
    await expect.poll(() => attached()?.[2]).toBe("1");
    const before = { times: times(), attached: attached() };
    for (let i = 0; i < 50; i += 1) {
      await look();
      await scope.clock.sleep(20, scope.signal);
    }
    expect({ times: times(), attached: attached() }).toEqual(before);
    expect(reasons((await look()).channels)).toEqual(truth);
  });
});

test("memory, semaphores, queues and files, System V and POSIX", async () => {
  const { look } = await observe({
    a: {
      talk: [
        ...[
          "sysv-shm",
          "0x1001",
          "65536",
          "rw",
          "--",
          "sysv-sem",
          "0x1002",
          "--",
          "sysv-msg",
          "0x1003",
          "send",
          "--",
        ],
        ...[
          "posix-shm",
          "/ring",
          "8192",
          "rw",
          "--",
          "posix-sem",
          "/gate",
          "--",
          "posix-mq",
          "/jobs",
          "send",
          "--",
        ],
        ...[
          "posix-mq-full",
          "/full",
          "--",
          "file-append",
          "VOLUME/app.log",
          "--",
          "posix-shm",
          "/private",
          "4096",
          "rw",
        ],
      ],
    },
    b: {
      talk: [
        ...[
          "sysv-shm",
          "0x1001",
          "65536",
          "rw",
          "--",
          "sysv-sem",
          "0x1002",
          "--",
          "sysv-msg",
          "0x1003",
          "receive",
          "--",
        ],
        ...[
          "posix-shm",
          "/ring",
          "8192",
          "r",
          "--",
          "posix-sem",
          "/gate",
          "--",
          "posix-mq",
          "/jobs",
          "receive",
          "--",
        ],
        ...["file-tail", "VOLUME/app.log"],
      ],
    },
  });
  const channels = await expectEdges(look, [
    "a == b SysVSharedMemory key 0x00001001 id 0",
    "a == b SysVSemaphore key 0x00001002 id 0",
    "a -> b SysVMessageQueue key 0x00001003 id 0",
    "a -> b POSIXSharedMemory /ring",
    "a == b POSIXSemaphore /gate",
    "a -> b POSIXMessageQueue /jobs",
    "a -> b SharedFile shared:/app.log",
  ]);
  expect(only(channels, ({ spec }) => spec.type === "SysVSharedMemory").spec.size).toBe(65_536);
  expect(only(channels, ({ spec }) => spec.address === "/ring").spec.size).toBe(8192);
  expect(only(channels, ({ spec }) => spec.address === "/private").spec.scope).toBe("IntraContainer");
  expect(only(channels, ({ spec }) => spec.address === "/full").status).toMatchObject({
    state: "Blocked",
    reason: "a waits in mq_send(3): the queue is full",
  });
});

test("two pods with the same keys and ports share nothing; nothing is left after stop", async () => {
  const containers = {
    a: { talk: ["sysv-shm", "0x1001", "4096", "rw", "--", "tcp-server", "127.0.0.1", "8080"] },
    b: { talk: ["sysv-shm", "0x1001", "4096", "rw", "--", "tcp-long", "127.0.0.1", "8080", "10"] },
  };
  const first = await observe(containers);
  const second = await observe(containers);
  for (const { look } of [first, second]) {
    await expectEdges(look, ["a == b SysVSharedMemory key 0x00001001 id 0", "b -> a TCP 127.0.0.1:8080"]);
  }
  const helpers = () => {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
    return children.filter(
      (pid) =>
        existsSync(`/proc/${pid}`) &&
        ["sh", "cat"].includes(readFileSync(`/proc/${pid}/comm`, "utf8").trim()) &&
        !readFileSync(`/proc/${pid}/cgroup`, "utf8").includes("peapod-channels-test"),
    );
  };
  await first.observer.stop();
  await second.observer.stop();
  expect(helpers()).toEqual([]);
});

test("without any tool the map is drawn from /proc, and what is missing is named", async () => {
  const { look, pod } = await observe({
    writer: {
      script: "mkfifo $VOLUME/pipe; exec /usr/bin/python3 $TALK fifo-hold $VOLUME/pipe w".replace(
        "$TALK",
        talk,
      ),
    },
    reader: {
      script: `exec /usr/bin/python3 ${talk} fifo-hold $VOLUME/pipe r -- sysv-shm 0x5 4096 r -- tcp-server 127.0.0.1 8080`,
    },
    other: { talk: ["sysv-shm", "0x5", "4096", "rw", "--", "tcp-long", "127.0.0.1", "8080", "10"] },
  });
  await expectEdges(look, [
    "writer -> reader FIFO shared:/pipe",
    "other -> reader SysVSharedMemory key 0x00000005 id 0",
    "other -> reader TCP 127.0.0.1:8080",
  ]);
  const path = process.env.PATH;
  process.env.PATH = "";
  undo.push(async () => {
    process.env.PATH = path;
  });
  const blind = createChannelObserver({
    pods: { runningPods: () => [pod.observed()] },
    counters: { available: () => ({ ok: false, reason: "switched off" }) },
  });
  undo.push(() => blind.stop());
  const { channels, missing } = await blind.list(scope);
  expect(edges(channels)).toEqual(
    [
      "writer -> reader FIFO shared:/pipe",
      "other -> reader SysVSharedMemory key 0x00000005 id 0",
      "other -> reader TCP 127.0.0.1:8080",
    ].sort(),
  );
  expect(missing.map(({ layer }) => layer).sort()).toEqual(["bpf", "fanotify"]);
});
