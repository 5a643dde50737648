import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { quietScope } from "../../src/base/scope.ts";
import { bpf } from "../../src/host/bpf.ts";
import { cgroupHierarchies, cgroupV2Path, removeCgroup } from "../../src/host/cgroups.ts";
import { attachedCounterMap } from "../../src/host/counter-maps.ts";
import type { TrafficCount } from "../../src/host/traffic-count.ts";
import { TrafficReader } from "../../src/host/traffic-reader.ts";
import { unixCallMap } from "../../src/host/unix-call.ts";
import { UnixCallReader } from "../../src/host/unix-call-reader.ts";
import { createCgroupCounters } from "../../src/network/counters/cgroup-counters.ts";
import type { TrafficCounters } from "../../src/network/types.ts";

let pod: string;
let counters: TrafficCounters;
let reader: TrafficReader;
let unixReader: UnixCallReader;

beforeEach(async () => {
  pod = `/peapod-counters-test/${randomBytes(4).toString("hex")}`;
  counters = await createCgroupCounters({ unixDelay: 0 });
  expect(counters.available()).toEqual({ ok: true });
  const calls = await bpf();
  if (calls === undefined) throw new Error("no bpf(2)");
  reader = new TrafficReader(calls);
  unixReader = new UnixCallReader(calls);
});

afterEach(async () => {
  reader.close();
  unixReader.close();
  await removeCgroup(pod, quietScope());
  for (const hierarchy of cgroupHierarchies()) {
    try {
      rmdirSync(join(hierarchy, pod, ".."));
    } catch {
      // Another test's, or not made in this hierarchy.
    }
  }
});

/**
 * Runs Python below a container's control group, in a network namespace of its own, until it ends. Debian's, since pyenv's
 * `python3` is a shell script, and what shells ask of nscd(8) would be counted as well.
 */
function run(container: string, script: string): void {
  const cgroup = cgroupV2Path(`${pod}/${container}/0`) ?? "";
  mkdirSync(cgroup, { recursive: true });
  const enter = `echo $$ > ${cgroup}/cgroup.procs; exec unshare --net -- sh -c 'ip link set lo up; exec /usr/bin/python3 -c "$0"' "$0"`;
  execFileSync("sh", ["-c", enter, `${prelude}${script}`]);
}

/** `exchange` has a client send `up` bytes and a server answer `down`; who ends the connection, and how, varies. */
const prelude = `
import socket, struct, threading
def read(end, count):
    while count > 0:
        got = len(end.recv(min(count, 65536)))
        if got == 0: raise SystemExit("ended early")
        count -= got
def exchange(family, address, up, down, ending):
    listener = socket.socket(family)
    listener.bind((address, 8080)); listener.listen()
    def serve():
        end, _ = listener.accept()
        read(end, up); end.sendall(b"s" * down)
        if ending == "server": end.close(); return
        if ending == "half-closed":
            end.recv(1); end.sendall(b"t" * 7)
        else:
            try: end.recv(1)
            except ConnectionResetError: pass
        end.close()
    server = threading.Thread(target=serve); server.start()
    client = socket.socket(family); client.connect((address, 8080))
    client.sendall(b"c" * up); read(client, down)
    if ending == "server": client.recv(1)
    if ending == "half-closed":
        client.shutdown(socket.SHUT_WR); read(client, 7); client.recv(1)
    if ending == "reset": client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.join(); listener.close()
`;

function countsOf(container: string): Pick<TrafficCount, "kind" | "address" | "port" | "count">[] {
  return reader.read(pod).counts.filter((each) => each.container === container);
}

test.each([
  ["the client ends it", "client", 0],
  ["the server ends it", "server", 0],
  ["the client says that it is done and reads on", "half-closed", 7],
])("the payload of a connection is counted to the byte: %s", (_, ending, more) => {
  counters.install(`${pod}/a`);
  for (const [family, address] of [
    ["AF_INET", "127.0.0.1"],
    ["AF_INET6", "::1"],
  ]) {
    run("a", `exchange(socket.${family}, "${address}", 100, 3, "${ending}")`);
    run("a", `exchange(socket.${family}, "${address}", 1, 5_000_000, "${ending}")`);
  }
  const expected = { kind: "Called", container: "a", port: 8080, attempts: 2, count: 2 };
  const bytes = { sent: 101, received: 5_000_003 + 2 * more };
  expect(countsOf("a").toSorted((x, y) => x.address.localeCompare(y.address))).toEqual([
    { ...expected, ...bytes, address: "::1" },
    { ...expected, ...bytes, address: "127.0.0.1" },
  ]);
});

test("a connection that is reset keeps what was acknowledged", () => {
  counters.install(`${pod}/a`);
  run("a", `exchange(socket.AF_INET, "127.0.0.1", 100, 3, "reset")`);
  expect(countsOf("a")).toMatchObject([{ count: 1, sent: 100, received: 3 }]);
});

test("attempts that nobody answers are no connections", () => {
  counters.install(`${pod}/a`);
  run("a", `\nfor _ in range(3): socket.socket().connect_ex(("127.0.0.1", 9))`);
  expect(countsOf("a")).toMatchObject([
    { kind: "Called", port: 9, attempts: 3, count: 0, sent: 0, received: 0 },
  ]);
});

test("datagrams are counted by their receiver; an answer to a port that the kernel hands out is none", () => {
  counters.install(`${pod}/a`);
  run(
    "a",
    `
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind(("127.0.0.1", 53))
client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
for _ in range(4):
    client.sendto(b"x", ("::ffff:127.0.0.1", 53))
    _, sender = server.recvfrom(9); server.sendto(b"y", sender)
    client.recvfrom(9)
resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); resolver.connect(("127.0.0.1", 53))
resolver.send(b"x"); _, sender = server.recvfrom(9); server.sendto(b"y", sender); resolver.recvfrom(9)
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"x", ("::1", 5354))
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect(("::1", 5355))
`,
  );
  const summary = countsOf("a").map(
    ({ kind, address, port, count }) => `${kind} ${address}:${port} ${count}`,
  );
  expect(summary.toSorted()).toEqual([
    "Answered 127.0.0.1:53 5",
    "Connected 127.0.0.1:53 1",
    "Connected ::1:5355 1",
    "Sent 127.0.0.1:53 4",
    "Sent ::1:5354 1",
  ]);
});

test("calls of Unix sockets are counted by name and caller, whether anybody answers or not", async (context) => {
  const [a, b] = [`${pod}/a`, `${pod}/b`];
  for (const cgroup of [a, b]) counters.install(cgroup);
  const calls = await bpf();
  const folder = cgroupV2Path(a) ?? "";
  if (calls === undefined || attachedCounterMap(calls, folder, unixCallMap) === undefined) {
    context.skip("no BPF programs for Unix sockets: Linux before 6.7");
  }
  const long = `/tmp/${"x".repeat(102)}`;
  /** Fills sun_path to its last byte. */
  const longest = `${long}y`;
  run(
    "a",
    `
import ctypes, os
def call(kind, name, times):
    for _ in range(times):
        with socket.socket(socket.AF_UNIX, kind) as client:
            try: client.connect(name)
            except OSError: pass
call(socket.SOCK_STREAM, "/run/nobody.sock", 3)
call(socket.SOCK_SEQPACKET, "\\0queue\\0of", 2)
call(socket.SOCK_STREAM, "${long}", 1)
client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for _ in range(4):
    try: client.sendto(b"x", "/run/nobody.log")
    except OSError: pass
exact = socket.socket(socket.AF_UNIX)
for path in (b"/run/no-zero-byte.sock", b"/run/zero-byte.sock\\0and more", b"${longest}"):
    address = struct.pack("H", socket.AF_UNIX) + path
    ctypes.CDLL(None).connect(exact.fileno(), address, len(address))
os.setgid(2000); os.setuid(1000)
call(socket.SOCK_STREAM, "/run/nobody.sock", 1)
one, other = socket.socketpair()
one.sendall(b"x")
`,
  );
  run("b", `socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).connect_ex("\\0b")`);
  const found = unixReader.read([a, b]);
  expect(found.get(b)).toMatchObject([{ name: "@b", count: 1 }]);
  const summary = found
    .get(a)
    ?.map(({ call, type, name, uid, gid, count }) => `${call} ${type} ${name} ${uid}:${gid} ${count}`);
  expect(summary?.toSorted()).toEqual([
    "connect seqpacket @queue@of 0:0 2",
    "connect stream /run/no-zero-byte.sock 0:0 1",
    "connect stream /run/nobody.sock 0:0 3",
    "connect stream /run/nobody.sock 1000:2000 1",
    "connect stream /run/zero-byte.sock 0:0 1",
    `connect stream ${long} 0:0 1`,
    `connect stream ${longest} 0:0 1`,
    "send datagram /run/nobody.log 0:0 4",
  ]);
  // What is left of a container that is gone is forgotten.
  expect([...unixReader.read([b]).keys()]).toEqual([b]);
  expect(unixReader.read([a, b]).get(a)).toEqual([]);
});

test("each container has its own counts, which outlive its processes and a second installation", () => {
  for (const name of ["a", "b"]) counters.install(`${pod}/${name}`);
  run("a", `exchange(socket.AF_INET, "127.0.0.1", 10, 1, "client")`);
  run("b", `exchange(socket.AF_INET, "127.0.0.1", 20, 1, "client")`);
  run("uncounted", `exchange(socket.AF_INET, "127.0.0.1", 30, 1, "client")`);
  counters.install(`${pod}/a`);
  const { counts, counted } = reader.read(pod);
  expect([...counted].toSorted()).toEqual(["a", "b"]);
  expect(counts.map(({ container, sent }) => `${container} ${sent}`).toSorted()).toEqual(["a 10", "b 20"]);
});

test("a container that calls everybody is counted on: its counts begin anew before there is no room for more", () => {
  counters.install(`${pod}/a`);
  const call = (from: number, to: number) =>
    run(
      "a",
      `
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(${from}, ${to}): client.sendto(b"x", (f"127.1.{i // 250}.{i % 250 + 1}", 53))
`,
    );
  call(0, 3000);
  expect(countsOf("a")).toHaveLength(3000);
  call(3000, 6000);
  expect(countsOf("a")).toHaveLength(3000);
  expect(countsOf("a")).toEqual([]);
});

test("they go with the control group, or when they are removed", async () => {
  for (const name of ["a", "b"]) counters.install(`${pod}/${name}`);
  expect([...reader.read(pod).counted].toSorted()).toEqual(["a", "b"]);
  await removeCgroup(`${pod}/a`, quietScope());
  expect([...reader.read(pod).counted]).toEqual(["b"]);
  counters.remove(`${pod}/b`);
  counters.remove(`${pod}/b`);
  reader.close();
  run("b", `exchange(socket.AF_INET, "127.0.0.1", 1, 1, "client")`);
  expect(reader.read(pod)).toEqual({ counts: [], counted: new Set() });
});
