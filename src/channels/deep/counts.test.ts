import { expect, test } from "vitest";
import { deepCounts, parseTracerLine } from "./counts.ts";
import { deepProgram } from "./program.ts";

const line = (map: string, rows: Record<string, number>) =>
  JSON.stringify({ type: "map", data: { [`@${map}`]: rows } });

function counts(...lines: string[]) {
  const rows = lines.flatMap((each) => {
    const parsed = parseTracerLine(each);
    return parsed === "tick" ? [] : parsed;
  });
  const containers: Record<number, string> = { 7: "a", 8: "b" };
  const owners: Record<number, string> = { 100: "a", 200: "b" };
  return deepCounts(
    rows,
    5,
    (cgroup) => containers[cgroup],
    (pid) => owners[pid],
  );
}

test("a second ends with a tick; what is no map and what is unknown says nothing", () => {
  expect(parseTracerLine('{"type": "printf", "data": "tick\\n"}')).toBe("tick");
  expect(parseTracerLine('{"type": "attached_probes", "data": {"probes": 34}}')).toEqual([]);
  expect(parseTracerLine(line("file", { "1": 2 }))).toEqual([]);
});

test("FIFOs by the identity that stat(2) gives, others' processes left out", () => {
  // 266338304 is the kernel's own number of device 254:0, which stat(2) numbers 65024.
  const { files } = counts(
    line("fifo_bytes", { "7,write,266338304,12": 500, "8,read,266338304,12": 400, "9,read,266338304,12": 1 }),
    line("fifo_calls", { "7,write,266338304,12": 5, "8,read,266338304,12": 4 }),
  );
  expect(files).toEqual([
    { kind: "fifo", container: "a", direction: "in", identity: "65024:12", bytes: 500, operations: 5 },
    { kind: "fifo", container: "b", direction: "out", identity: "65024:12", bytes: 400, operations: 4 },
  ]);
});

test("Unix clients: connections and both directions, names with commas, abstract names", () => {
  const { unix, datagrams } = counts(
    line("unix_connects", { "7,1,266338304,12,0,/data/a,b.sock": 3 }),
    line("unix_bytes", {
      "7,send,1,266338304,12,0,/data/a,b.sock": 30,
      "7,receive,1,266338304,12,0,/data/a,b.sock": 60,
      "8,send,2,0,0,1,log": 9,
    }),
    line("unix_calls", { "7,send,1,266338304,12,0,/data/a,b.sock": 3 }),
    line("unix_datagram_bytes", { "8,1,x": 4 }),
    line("udp_bytes", { "8,5353,127.0.0.1": 50 }),
  );
  expect(unix).toEqual([
    {
      container: "a",
      type: "stream",
      identity: "65024:12",
      name: "/data/a,b.sock",
      connections: 3,
      sent: { bytes: 30, operations: 3 },
      received: { bytes: 60, operations: 0 },
    },
    {
      container: "b",
      type: "datagram",
      identity: undefined,
      name: "@log",
      connections: 0,
      sent: { bytes: 9, operations: 0 },
      received: { bytes: 0, operations: 0 },
    },
  ]);
  expect(datagrams).toEqual([
    { container: "b", to: { path: "@x" }, bytes: 4, operations: 0 },
    { container: "b", to: { address: "127.0.0.1", port: 5353 }, bytes: 50, operations: 0 },
  ]);
});

test("signals to processes of the pod, semaphores by who raises and who waits", () => {
  const { signals, semaphores } = counts(
    line("signals", { "7,100,200,10": 3, "7,100,300,9": 1 }),
    line("semaphore_calls", { "7,post,2": 4, "8,wait,2": 5, "8,post,2": 1 }),
  );
  expect(signals).toEqual([
    { container: "a", targetContainer: "b", pid: 100, targetPID: 200, signal: 10, count: 3 },
  ]);
  expect(semaphores).toEqual([
    { container: "a", id: 2, posts: 4, waits: 0 },
    { container: "b", id: 2, posts: 1, waits: 5 },
  ]);
});

test("the program leaves the host's own processes alone and has no word left to replace", () => {
  const program = deepProgram("4026531841");
  expect(program).toContain("curtask->nsproxy->mnt_ns->ns.inum != 4026531841");
  expect(program).not.toMatch(/IN_CONTAINER|FILE\(/);
});
