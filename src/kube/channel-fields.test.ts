import { expect, test } from "vitest";
import type { Channel } from "../channels/types.ts";
import { decodeStrict } from "../manifest/decode.ts";
import { channelDescriptions, channelFieldTable } from "./channel-fields.ts";
import { fieldsOf } from "./field-table.ts";

/** Every field that a channel can have. */
const whole: Required<Channel> = {
  apiVersion: "peapod.dev/v1alpha1",
  kind: "Channel",
  metadata: {
    name: "web-1",
    namespace: "default",
    labels: { a: "b" },
    creationTimestamp: "2026-01-02T03:04:05Z",
  },
  spec: {
    pod: "web",
    podUID: "uid",
    type: "TCP",
    scope: "Ingress",
    address: "10.0.0.1:80",
    port: 80,
    size: 1,
  } satisfies Required<Channel["spec"]>,
  status: {
    state: "Active",
    reason: "none",
    needsPort: true,
    declared: true,
    endpoints: [
      {
        container: "main",
        role: "Server",
        pid: 1,
        hostPID: 2,
        process: "nginx",
        path: "/x",
        object: { kind: "Service", namespace: "default", name: "web", pods: ["a"] },
      },
    ],
    traffic: {
      clientToServer: { bytes: 1, operations: 1 },
      serverToClient: { bytes: 1, operations: 1 },
      since: "2026-01-02T03:04:05Z",
    },
    connections: { open: 1, total: 2 },
    firstSeen: "2026-01-02T03:04:05Z",
    lastSeen: "2026-01-02T03:04:05Z",
    evidence: [{ source: "/proc/net/tcp", detail: "line 1" }],
  } satisfies Required<Channel["status"]>,
};

test("the table has every field of a channel", () => {
  expect(decodeStrict("Channel", whole)).toEqual({ value: whole, problems: [] });
});

test.each(Object.keys(channelFieldTable))("every field of %s is described", (type) => {
  expect(Object.keys(channelDescriptions[type] ?? {})).toContain("");
  for (const name of fieldsOf(type)?.keys() ?? []) {
    if (["apiVersion", "kind", "metadata"].includes(name)) continue;
    expect(channelDescriptions[type]?.[name], `${type}.${name}`).toBeDefined();
  }
});
