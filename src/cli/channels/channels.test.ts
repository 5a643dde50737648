import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Channel } from "../../channels/types.ts";
import { channelMaps } from "./channel-map.ts";
import { formatDot } from "./dot.ts";
import { laneOrder } from "./lane-order.ts";
import type { Look } from "./look.ts";
import { formatMermaid } from "./mermaid.ts";
import { Recorder, readRecording } from "./recording.ts";
import { formatSvg } from "./svg.ts";

function channel(
  name: string,
  type: Channel["spec"]["type"],
  ends: readonly [role: string, container: string | undefined][],
  status: Partial<Channel["status"]> = {},
): Channel {
  return {
    apiVersion: "peapod.dev/v1alpha1",
    kind: "Channel",
    metadata: { name, namespace: "default", labels: {}, creationTimestamp: "" },
    spec: { pod: "web", podUID: "u", type, scope: "InterContainer", address: `at:/${name}` },
    status: {
      state: "Active",
      needsPort: false,
      endpoints: ends.map(
        ([role, container]) => ({ role, ...(container === undefined ? {} : { container }) }) as never,
      ),
      firstSeen: "",
      lastSeen: "",
      evidence: [],
      ...status,
    },
  };
}

const channels = [
  channel("fifo", "FIFO", [
    ["Writer", "a"],
    ["Reader", "c"],
  ]),
  channel("shm", "POSIXSharedMemory", [
    ["Peer", "a"],
    ["Peer", "b"],
    ["Peer", "c"],
  ]),
  channel("in", "TCP", [
    ["Server", "b"],
    ["Client", undefined],
  ]),
  channel("lone <&>", "FIFO", [["Writer", "c"]], { state: "Blocked", reason: 'no "reader"' }),
];

test("a map has a box per container and an arrow per pair of ends", () => {
  const [map] = channelMaps(channels, new Map([["u", ["c", "b", "a", "silent"]]]));
  expect(map).toMatchObject({ containers: ["c", "b", "a", "silent"], hasOutside: true });
  expect(map?.arrows.map(({ from, to, direction }) => `${from} ${direction} ${to}`)).toEqual([
    "a one c",
    "a peers b",
    "a peers c",
    "outside both b",
    "c peers undefined",
  ]);
});

test("boxes that talk stand side by side, in the direction of the arrows", () => {
  const pairs = [
    ["e", "c"],
    ["c", "a"],
    ["a", "d"],
    ["d", "b"],
  ] as const;
  const chain = pairs.map(([from, to]) =>
    channel(`${from}${to}`, "FIFO", [
      ["Writer", from],
      ["Reader", to],
    ]),
  );
  const [map] = channelMaps(chain, new Map([["u", ["a", "b", "c", "d", "e"]]]));
  expect(map && laneOrder(map)).toEqual(["e", "c", "a", "d", "b"]);
});

test("drawings name everything and escape what must be", () => {
  const maps = channelMaps(channels);
  const svg = formatSvg(maps);
  expect(svg).toContain("FIFO at:/lone &lt;&amp;&gt;");
  expect(svg.match(/<circle[^>]*r="5"/g)).toHaveLength(1);
  expect(formatDot(maps)).toContain('label="blocked · no port needed\\nno \\"reader\\""');
  const mermaid = formatMermaid(maps);
  expect(mermaid).toContain("no #34;reader#34;");
  // What nobody has at its other end is in the pod, too.
  expect(mermaid).toMatch(/^ {4}p0_l\d+\(.*\)$/m);
  expect(mermaid.match(/linkStyle/g)).toHaveLength(5);
});

test("a recording gives back what was recorded, and only its owner may read it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "peapod-recording-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "talk.jsonl");
  const columns: Look["columns"] = [{ name: "Pod", type: "string", priority: 0 }];
  const look = (at: number, parts: readonly Channel[], missing: Look["missing"] = []): Look => ({
    at,
    columns,
    rows: parts.map((each) => ({ cells: [each.spec.pod], channel: each })),
    missing,
    containers: { u: ["a", "b", "c"] },
  });
  const looks = [
    look(1_000, channels),
    look(2_000, channels),
    look(3_000, channels.slice(1), [{ layer: "bpf", reason: "gone" }]),
  ];
  const recorder = new Recorder(path);
  for (const each of looks) await recorder.add(each);
  await recorder.close();
  expect(recorder.lines).toBe(2);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await Array.fromAsync(readRecording(path))).toEqual([looks[0], looks[2]]);
  await expect(Array.fromAsync(readRecording(import.meta.filename))).rejects.toThrow(/no recording/);
});
