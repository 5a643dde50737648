import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { formatAddress, podSubnet } from "./ipv4.ts";
import { AddressLeases } from "./leases.ts";

let folder: string;
let leases: AddressLeases;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "peapod-leases-"));
  leases = newLeases();
});
afterEach(() => rmSync(folder, { recursive: true }));

const newLeases = () => new AddressLeases(join(folder, "leases"), podSubnet("10.9.8.0/29"));
const acquire = (podUID: string) => formatAddress(leases.acquire(podUID));

test("addresses are handed out in turn, without those of network, gateway and broadcast", () => {
  expect(["a", "b", "c", "d", "e"].map(acquire)).toEqual([
    "10.9.8.2",
    "10.9.8.3",
    "10.9.8.4",
    "10.9.8.5",
    "10.9.8.6",
  ]);
  expect(() => acquire("f")).toThrow("all 5 addresses of 10.9.8.0/29 are in use");
});

test("a pod has one address, also for the next daemon", () => {
  expect([acquire("a"), acquire("a")]).toEqual(["10.9.8.2", "10.9.8.2"]);
  leases = newLeases();
  expect(acquire("a")).toBe("10.9.8.2");
  expect(readFileSync(join(folder, "leases", "10.9.8.2"), "utf8")).toBe("a");
});

test("an address that was given back is the last one handed out again", () => {
  acquire("a");
  leases.release("a");
  leases.release("a");
  leases = newLeases();
  expect(["b", "c", "d", "e", "f"].map(acquire)).toEqual([
    "10.9.8.3",
    "10.9.8.4",
    "10.9.8.5",
    "10.9.8.6",
    "10.9.8.2",
  ]);
});

test("no file but leases stays in the folder", () => {
  acquire("a");
  expect(readdirSync(join(folder, "leases"))).toEqual(["10.9.8.2"]);
});
