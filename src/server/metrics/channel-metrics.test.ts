import { expect, test } from "vitest";
import type { Channel } from "../../channels/types.ts";
import { channelMetrics } from "./channel-metrics.ts";
import { formatMetrics } from "./prometheus.ts";

function channel(parts: { spec?: Partial<Channel["spec"]>; status?: Partial<Channel["status"]> }): Channel {
  return {
    apiVersion: "peapod.dev/v1alpha1",
    kind: "Channel",
    metadata: { name: "x", namespace: "default", labels: {}, creationTimestamp: "" },
    spec: {
      pod: "web",
      podUID: "u",
      type: "TCP",
      scope: "InterContainer",
      address: "127.0.0.1:80",
      port: 80,
      ...parts.spec,
    },
    status: {
      state: "Active",
      needsPort: true,
      endpoints: [
        { container: "a", role: "Server" },
        { container: "b", role: "Client" },
      ],
      firstSeen: "",
      lastSeen: "",
      evidence: [],
      ...parts.status,
    },
  };
}

test("known numbers have samples, unknown ones have none", () => {
  const traffic = { clientToServer: { bytes: 780 } };
  const text = formatMetrics(
    channelMetrics(
      [
        channel({ status: { traffic, connections: { open: 1, total: 3 } } }),
        channel({ spec: { type: "FIFO", address: 'data:/"f"' }, status: { state: "Blocked" } }),
      ],
      [{ layer: "nft", reason: "none" }],
    ),
  );
  const labels =
    'namespace="default",pod="web",type="TCP",scope="InterContainer",from="b",to="a",address="127.0.0.1:80"';
  expect(text.split("\n")).toEqual(
    expect.arrayContaining([
      "# TYPE peapod_channel_bytes_total counter",
      `peapod_channel_bytes_total{${labels},direction="forward"} 780`,
      `peapod_channel_connections_total{${labels}} 3`,
      `peapod_channel_blocked{${labels}} 0`,
      'peapod_channel_blocked{namespace="default",pod="web",type="FIFO",scope="InterContainer",from="b",to="a",address="data:/\\"f\\""} 1',
      'peapod_channels{namespace="default",pod="web",state="Blocked"} 1',
      'peapod_channel_evidence_missing{layer="nft"} 1',
    ]),
  );
  expect(text).not.toContain('direction="back"');
});

test("addresses from outside and many channels make no more series", () => {
  const outside = Array.from({ length: 300 }, (_, index) =>
    channel({
      spec: { scope: "Ingress", address: "10.0.0.2:80" },
      status: {
        endpoints: [
          { container: "a", role: "Server" },
          { role: "Client", path: `10.1.0.${index}` },
        ],
      },
    }),
  );
  const many = Array.from({ length: 300 }, (_, index) => channel({ spec: { address: `/${index}` } }));
  const blocked = channelMetrics([...outside, ...many], []).find(
    ({ name }) => name === "peapod_channel_blocked",
  );
  expect(blocked?.samples.length).toBe(51);
  expect(blocked?.samples[0]?.labels).toMatchObject({ from: "outside", to: "a", address: ":80" });
  expect(blocked?.samples.at(-1)?.labels).toMatchObject({ address: "other" });
});
