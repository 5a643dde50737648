import { expect, test } from "vitest";
import { podQOSClass } from "./pod-qos.ts";
import type { Container, Pod } from "./types.ts";

type Resources = NonNullable<Container["resources"]>;

function pod(...resources: Resources[]): Pod {
  const containers = resources.map((one, index) => ({ name: `c${index}`, resources: one }));
  return { apiVersion: "v1", kind: "Pod", spec: { containers } };
}

const full = { cpu: "1", memory: "64Mi" };

test.each<[string, Pod]>([
  ["BestEffort", pod({})],
  ["BestEffort", pod({ requests: { cpu: "0" } })],
  ["BestEffort", pod({ limits: { "example.com/gpu": "1" }, requests: { "example.com/gpu": "1" } })],
  ["Guaranteed", pod({ limits: full, requests: full })],
  ["Guaranteed", pod({ limits: full, requests: { cpu: "1000m", memory: "65536Ki" } })],
  ["Burstable", pod({ limits: full, requests: full }, {})],
  ["Burstable", pod({ limits: full, requests: { ...full, cpu: "500m" } })],
  ["Burstable", pod({ requests: { memory: "1Mi" } })],
  ["Burstable", pod({ limits: { cpu: "1" }, requests: { cpu: "1" } })],
])("%s %#", (expected, value) => {
  expect(podQOSClass(value)).toBe(expected);
});
