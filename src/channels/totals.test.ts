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

test("counters win when they know of more connections, and survive a reset", () => {
  const totals = new Totals();
  totals.update([connection("1", 10), counted(1, 11)], 0);
  expect(totals.traffic?.clientToServer).toEqual({ bytes: 10 });
  totals.update([connection("1", 10), counted(3, 40)], 1);
  expect([totals.connections, totals.traffic?.clientToServer]).toEqual([3, { bytes: 40 }]);
  totals.update([counted(1, 5)], 2);
  expect([totals.connections, totals.traffic?.clientToServer]).toEqual([4, { bytes: 45 }]);
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
