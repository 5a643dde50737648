import { expect, test } from "vitest";
import type { ChannelFact } from "./fact.ts";
import { fakePod } from "./fake-snapshot.ts";
import { PodChannels } from "./model.ts";

function fact(parts: Partial<ChannelFact> = {}): ChannelFact {
  return {
    key: "TCP 127.0.0.1:8080 a b",
    type: "TCP",
    label: "tcp-8080",
    scope: "InterContainer",
    address: "127.0.0.1:8080",
    port: 8080,
    endpoints: [
      { container: "a", role: "Server" },
      { container: "b", role: "Client" },
    ],
    condition: "Open",
    activity: "0",
    openConnections: 1,
    readings: [],
    evidence: [],
    ...parts,
  };
}

const minute = 60_000;

test("a channel is active while its counters move, then idle, then closed, and comes back under its name", () => {
  const channels = new PodChannels();
  const state = (now: number) => channels.list(fakePod, now).map(({ status }) => status.state);
  channels.update(fakePod, [fact()], 0);
  const name = channels.list(fakePod, 0)[0]?.metadata.name;
  expect(name).toMatch(/^pod-tcp-8080-[0-9a-f]{4}$/);
  expect(state(0)).toEqual(["Active"]);
  channels.update(fakePod, [fact()], 11_000);
  expect(state(11_000)).toEqual(["Idle"]);
  channels.update(fakePod, [fact({ activity: "1" })], 12_000);
  expect(state(12_000)).toEqual(["Active"]);
  channels.update(fakePod, [], 13_000);
  expect(channels.list(fakePod, 13_000)).toMatchObject([
    { status: { state: "Closed", connections: { open: 0 } } },
  ]);
  channels.update(fakePod, [fact()], 14_000);
  expect(channels.list(fakePod, 14_000)).toMatchObject([{ metadata: { name }, status: { state: "Active" } }]);
});

test("closed channels are forgotten after ten minutes, servers to whom nobody talked at once", () => {
  const channels = new PodChannels();
  const idle = fact({ key: "idle", condition: "Listening", endpoints: [{ container: "a", role: "Server" }] });
  channels.update(fakePod, [fact(), idle], 0);
  channels.update(fakePod, [], 1);
  expect(channels.list(fakePod, 1).length).toBe(1);
  channels.update(fakePod, [], 11 * minute);
  expect(channels.list(fakePod, 11 * minute)).toEqual([]);
});

test("both ends of a FIFO count although they were never seen at the same time", () => {
  const channels = new PodChannels();
  const half = (container: string, role: "Writer" | "Reader") =>
    fact({ key: "FIFO 1:2", type: "FIFO", endpoints: [{ container, role }] });
  channels.update(fakePod, [half("b", "Reader")], 0);
  channels.update(fakePod, [half("a", "Writer")], 1000);
  expect(channels.list(fakePod, 1000)).toMatchObject([
    {
      spec: { scope: "InterContainer" },
      status: {
        needsPort: false,
        endpoints: [
          { container: "a", role: "Writer" },
          { container: "b", role: "Reader" },
        ],
      },
    },
  ]);
});

test("an attempt that is not repeated is over after a minute", () => {
  const channels = new PodChannels();
  const refused = fact({
    condition: "Blocked",
    reason: "nothing listens",
    fleeting: true,
    endpoints: [{ container: "b", role: "Client" }],
  });
  channels.update(fakePod, [refused], 0);
  expect(channels.list(fakePod, 0)).toMatchObject([
    { status: { state: "Blocked", reason: "nothing listens" } },
  ]);
  channels.update(fakePod, [refused], 2 * minute);
  channels.update(fakePod, [refused], 3 * minute);
  expect(channels.list(fakePod, 3 * minute)).toEqual([]);
});

test("names of channels that differ stay apart", () => {
  const channels = new PodChannels();
  const facts = Array.from({ length: 2000 }, (_, i) => fact({ key: `TCP ${i}` }));
  channels.update(fakePod, facts, 0);
  expect(new Set(channels.list(fakePod, 0).map(({ metadata }) => metadata.name)).size).toBe(2000);
});
