import { expect, test } from "vitest";
import { staleFlows } from "./stale-flows.ts";
import type { ServiceForward } from "./types.ts";

const forward = (ips: readonly string[], rest: Partial<ServiceForward> = {}): ServiceForward => ({
  namespace: "shop",
  name: "names",
  protocol: "UDP",
  port: 53,
  clusterIPs: ["10.96.0.7"],
  externalIPs: [],
  nodePort: 30_053,
  backends: ips.map((ip) => ({ ip, port: 5353 })),
  sticky: false,
  ...rest,
});
const flows = [
  { address: "10.96.0.7", port: 53, backend: "10.0.0.1" },
  { address: undefined, port: 30_053, backend: "10.0.0.1" },
];

test.each<[string, ServiceForward[], ServiceForward[], unknown[]]>([
  ["a backend that stays", [forward(["10.0.0.1"])], [forward(["10.0.0.1", "10.0.0.2"])], []],
  ["a backend that goes", [forward(["10.0.0.1", "10.0.0.2"])], [forward(["10.0.0.2"])], flows],
  ["a Service that goes", [forward(["10.0.0.1"])], [], flows],
  ["connections, which end by themselves", [forward(["10.0.0.1"], { protocol: "TCP" })], [], []],
])("flows to be forgotten: %s", (_, before, after, expected) => {
  expect(staleFlows(before, after)).toEqual(expected);
});
