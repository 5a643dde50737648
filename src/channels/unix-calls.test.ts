import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readFileFacts } from "../host/proc.ts";
import type { UnixSocket } from "../host/sockets.ts";
import type { UnixCall } from "../host/unix-call.ts";
import { fakePod } from "./fake-snapshot.ts";
import type { ObservedPod } from "./types.ts";
import { UnixCalls } from "./unix-calls.ts";

let folder: string;
let pod: ObservedPod;
let server: UnixSocket;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "peapod-unix-calls-"));
  const path = join(folder, "s.sock");
  writeFileSync(path, "");
  chmodSync(path, 0o700);
  pod = {
    ...fakePod,
    containers: fakePod.containers.map((container) => ({ ...container, pid: process.pid })),
    volumes: fakePod.volumes.map((volume) => ({ ...volume, hostPath: folder })),
  };
  server = {
    type: "stream",
    name: "/data/s.sock",
    file: readFileFacts(path)?.identity,
    inode: 100,
    listening: true,
    pending: [],
  } as unknown as UnixSocket;
});
afterEach(() => rmSync(folder, { recursive: true }));

const own = process.getuid?.() ?? 0;
const call = (count: number, parts: Partial<UnixCall> = {}): UnixCall => ({
  cgroup: 1n,
  call: "connect",
  type: "stream",
  name: "/mnt/s.sock",
  uid: own,
  gid: own,
  count,
  ...parts,
});

/** Looks one after the other: what container b had called by then, and the inodes that were there before; gives what was answered. */
function looks(
  ...seen: readonly { calls: readonly UnixCall[]; earlier?: readonly number[]; server?: UnixSocket }[]
) {
  const unixCalls = new UnixCalls();
  return seen.map(({ calls, earlier = [100], server: there = server }) =>
    unixCalls
      .outcomes(pod, new Map([["/b", calls]]), [there], new Set(earlier))
      .answered.map(({ container, name, count }) => `${container} ${name} ${count}`),
  );
}

test("what was called between two looks at the same server was answered; what was before the first is not known", () => {
  expect(looks({ calls: [call(7)] }, { calls: [call(9)] }, { calls: [call(9)] })).toEqual([
    [],
    ["b /mnt/s.sock 2"],
    ["b /mnt/s.sock 2"],
  ]);
});

test("calls while the server came, or was another one, may have failed", () => {
  const next = { ...server, inode: 200 };
  expect(
    looks(
      { calls: [] },
      { calls: [call(3)], earlier: [] },
      { calls: [call(5)], server: next },
      {
        calls: [call(6)],
        earlier: [200],
        server: next,
      },
    ),
  ).toEqual([[], [], [], ["b /mnt/s.sock 1"]]);
});

test.each<[string, Partial<UnixCall>, Partial<UnixSocket>]>([
  ["a user who may not write to the file", { uid: 4242, gid: 4242 }, {}],
  ["a socket of another type", { type: "seqpacket" }, {}],
  ["another path", { name: "/mnt/other.sock" }, {}],
  ["a path that leads there for another container only", { name: "/data/s.sock" }, {}],
  ["a socket that does not listen", {}, { listening: false }],
  ["an abstract name", { name: "@/mnt/s.sock" }, {}],
])("no answer from %s", (_, parts, socket) => {
  const there = { ...server, ...socket };
  const seen = [0, 4].map((count) => ({ calls: [call(count, parts)], server: there }));
  expect(looks(...seen)).toEqual([[], []]);
});

test("abstract names and datagrams need no file and no listener", () => {
  const abstract = { ...server, name: "@log", file: undefined, type: "datagram", listening: false } as const;
  const sent = { call: "send", type: "datagram", name: "@log", uid: 4242 } as const;
  const seen = [0, 4].map((count) => ({ calls: [call(count, sent)], server: abstract }));
  expect(looks(...seen)).toEqual([[], ["b @log 4"]]);
});

test("counts that begin anew are news", () => {
  expect(looks({ calls: [call(0)] }, { calls: [call(50)] }, { calls: [call(3)] })).toEqual([
    [],
    ["b /mnt/s.sock 50"],
    ["b /mnt/s.sock 53"],
  ]);
});

test("who calls a path in a shared volume on which nothing listens, look after look, finds nobody", () => {
  const unixCalls = new UnixCalls();
  const look = (count: number, sockets: readonly UnixSocket[], parts: Partial<UnixCall> = {}) =>
    unixCalls
      .outcomes(pod, new Map([["/b", [call(count, parts)]]]), sockets, new Set())
      .unserved.map(({ container, label, count }) => `${container} ${label} ${count}`);
  expect(look(1, [])).toEqual([]);
  expect(look(3, [])).toEqual(["b data:/s.sock 2"]);
  // A server of another type is there; then the right one.
  expect(look(4, [{ ...server, type: "seqpacket" }])).toEqual([]);
  expect(look(5, [server])).toEqual([]);
  // It may have ended after it answered.
  expect(look(6, [])).toEqual([]);
  expect(look(7, [])).toEqual(["b data:/s.sock 1"]);
  for (const name of ["/run/other.sock", "@s"])
    for (const n of [1, 2]) expect(look(n, [], { name })).toEqual([]);
});

test("calls of several users of a container are one number: two would take turns to be news", () => {
  chmodSync(join(folder, "s.sock"), 0o777);
  const both = (count: number) => [call(count), call(2 * count, { uid: 4242, gid: 4242 })];
  expect(looks({ calls: both(0) }, { calls: both(3) })).toEqual([[], ["b /mnt/s.sock 9"]]);
});
