import { expect, test } from "vitest";
import { Totals } from "./totals.ts";

const connection = (id: string, up: number) =>
  ({ kind: "connection", id, clientToServer: { bytes: up }, serverToClient: { bytes: 0 } }) as const;
const counted = (connections: number, up: number) =>
  ({ kind: "counted", id: "b", connections, clientToServer: { bytes: up } }) as const;

test("connections that end keep their bytes; the total never goes backwards", () => {
  const totals = new Totals();
  totals.update([connection("1", 100)], 0);
  totals.update([connection("1", 150), connection("2", 5)], 1);
  totals.update([connection("2", 7)], 2);
  expect(totals.connections).toBe(2);
  expect(totals.traffic?.clientToServer).toEqual({ bytes: 157 });
  totals.update([], 3);
  expect(totals.traffic?.clientToServer).toEqual({ bytes: 157 });
});

test("what ended is counted, what is open says itself what it moved, and neither is told twice", () => {
  const totals = new Totals();
  totals.update([connection("1", 10), counted(1, 0)], 0);
  expect(totals.traffic?.clientToServer).toEqual({ bytes: 10 });
  // Too short to be seen: two more, of 20 bytes.
  totals.update([connection("1", 10), counted(3, 40)], 1);
  expect([totals.connections, totals.traffic?.clientToServer]).toEqual([3, { bytes: 50 }]);
  // It ended, but after the counters were read.
  totals.update([counted(3, 40)], 2);
  expect([totals.connections, totals.traffic?.clientToServer]).toEqual([3, { bytes: 50 }]);
  totals.update([counted(3, 53)], 3);
  expect([totals.connections, totals.traffic?.clientToServer]).toEqual([3, { bytes: 53 }]);
});

test("counters that begin anew go on from what was known", () => {
  const totals = new Totals();
  totals.update([counted(3, 40)], 0);
  totals.update([counted(1, 5)], 1);
  expect([totals.connections, totals.traffic?.clientToServer]).toEqual([4, { bytes: 45 }]);
});

test("a connection that is older than its counters keeps what was seen of it", () => {
  const totals = new Totals();
  totals.update([connection("1", 100)], 0);
  totals.update([counted(1, 7)], 1);
  expect(totals.traffic?.clientToServer).toEqual({ bytes: 100 });
});

test("bytes of the deep look are shown where nothing else knows bytes", () => {
  const totals = new Totals();
  totals.update([{ kind: "counted", id: "b", clientToServer: { operations: 9 } }], 0);
  expect([totals.countedSince, totals.traffic?.clientToServer]).toEqual([undefined, { operations: 9 }]);
  const deep = { kind: "deep", id: "b", since: 5, clientToServer: { operations: 2, bytes: 30 } } as const;
  totals.update([{ kind: "counted", id: "b", clientToServer: { operations: 11 } }, deep], 6);
  expect([totals.countedSince, totals.traffic?.clientToServer]).toEqual([5, { operations: 2, bytes: 30 }]);
  totals.update([{ kind: "counted", id: "b", clientToServer: { operations: 12 } }], 7);
  expect([totals.countedSince, totals.traffic?.clientToServer]).toEqual([undefined, { operations: 12 }]);
});

test("a connection that is later seen in TIME_WAIT is the same one", () => {
  const totals = new Totals();
  totals.update([connection("1", 10)], 0);
  totals.update(
    [
      { kind: "past", id: "1" },
      { kind: "past", id: "2" },
    ],
    1,
  );
  totals.update(
    [
      { kind: "past", id: "1" },
      { kind: "past", id: "2" },
    ],
    2,
  );
  expect(totals.connections).toBe(2);
});

test("what nobody counts is unknown", () => {
  const totals = new Totals();
  totals.update([{ kind: "past", id: "1" }], 0);
  expect(totals.traffic).toBeUndefined();
});
