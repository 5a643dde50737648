import { describe, expect, test } from "vitest";
import { serviceRules } from "./service-rules.ts";
import type { ServiceForward } from "./types.ts";

const forward = (rest: Partial<ServiceForward> = {}): ServiceForward => ({
  namespace: "shop",
  name: "web",
  protocol: "TCP",
  port: 80,
  clusterIPs: ["10.96.0.7"],
  externalIPs: [],
  nodePort: undefined,
  backends: [{ ip: "10.244.0.2", port: 8080 }],
  sticky: false,
  ...rest,
});

const two = [
  { ip: "10.244.0.2", port: 8080 },
  { ip: "10.244.0.3", port: 9090 },
];
const names = {
  table: "pea-services",
  podLink: "pea0",
  nameServer: { address: "10.244.0.1", port: 5301 },
};
const rules = (...forwards: ServiceForward[]) => serviceRules(names, forwards);

test("replaces the table of before in the same transaction", () => {
  expect(rules()).toMatch(/^table ip pea-services\ndelete table ip pea-services\ntable ip pea-services \{/);
});

describe("a Service's port", () => {
  test("leads to its only backend", () => {
    const script = rules(forward());
    expect(script).toContain("elements = { 10.96.0.7 . tcp . 80 : goto service/shop/web/80/tcp }");
    expect(script).toContain(
      "chain service/shop/web/80/tcp {\n    meta l4proto tcp dnat ip to 10.244.0.2:8080\n",
    );
  });

  test("leads to one of several at random, or always to the same for a client", () => {
    const choice = "map { 0 : 10.244.0.2 . 8080, 1 : 10.244.0.3 . 9090 }";
    expect(rules(forward({ backends: two }))).toContain(
      `meta l4proto tcp dnat ip addr . port to numgen random mod 2 ${choice}`,
    );
    expect(rules(forward({ backends: two, sticky: true, protocol: "UDP" }))).toContain(
      `meta l4proto udp dnat ip addr . port to jhash ip saddr mod 2 ${choice}`,
    );
  });

  test("is on the host's addresses and on external ones as it asks", () => {
    const script = rules(forward({ nodePort: 30_080, externalIPs: ["203.0.113.7"] }));
    expect(script).toMatch(/map node_ports \{[^}]*elements = \{ tcp \. 30080 : goto service\/shop\/web/);
    expect(script).toMatch(/map outside \{[^}]*elements = \{ 203\.0\.113\.7 \. tcp \. 80 : goto service/);
  });

  test("is refused without backends, at each of its addresses", () => {
    const script = rules(forward({ backends: [], nodePort: 30_080, externalIPs: ["203.0.113.7"] }));
    expect(script).not.toContain("goto service/");
    expect(script).toMatch(/set cluster_ips \{[^}]*elements = \{ 10\.96\.0\.7 \}/);
    expect(script).not.toMatch(/set answered \{[^}]*elements/);
    expect(script).toMatch(/set unanswered \{[^}]*elements = \{ 203\.0\.113\.7 \. tcp \. 80 \}/);
    expect(script).toMatch(/set unanswered_node_ports \{[^}]*elements = \{ tcp \. 30080 \}/);
  });

  test("that another Service claims, too, is the first one's: nft takes a key once", () => {
    const script = rules(
      forward({ externalIPs: ["203.0.113.7"] }),
      forward({ name: "other", clusterIPs: ["10.96.0.8"], externalIPs: ["203.0.113.7"] }),
    );
    expect(script.match(/203\.0\.113\.7 \. tcp \. 80/g)).toHaveLength(1);
  });
});

test("cluster IPs and names are for pods and the host alone; without a link of the pods' for all that comes", () => {
  const script = rules(forward());
  expect(script).toContain('iifname "pea0" jump to_inside');
  expect(script).toContain('iifname "pea0" jump ask_names');
  expect(script).toContain(
    'iifname != { "lo", "pea0" } ip daddr 10.244.0.1 meta l4proto { tcp, udp } th dport 5301 drop',
  );
  const cni = serviceRules({ table: "pea-services", podLink: undefined, nameServer: undefined }, [forward()]);
  expect(cni).toContain("\n    jump to_inside");
  expect(cni).not.toContain("iifname");
  expect(cni).not.toContain("dport 53");
});
