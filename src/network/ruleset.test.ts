import { expect, test } from "vitest";
import { checkHostPorts } from "./host-ports.ts";
import { podSubnet } from "./ipv4.ts";
import { hostPortsScript, rulesetScript } from "./ruleset.ts";
import type { HostPort } from "./types.ts";

const port = (hostPort: number, rest: Partial<HostPort> = {}): HostPort => ({
  hostPort,
  containerPort: 80,
  protocol: "TCP",
  hostIP: "",
  ...rest,
});

test("host ports are replaced as a whole, by address and on all addresses", () => {
  const targets = [
    { ip: "10.9.8.2", hostPorts: [port(8080), port(8443, { hostIP: "127.0.0.1" })] },
    { ip: "10.9.8.3", hostPorts: [port(53, { protocol: "UDP", containerPort: 5353, hostIP: "0.0.0.0" })] },
    { ip: "10.9.8.4", hostPorts: [] },
  ];
  expect(hostPortsScript("pea", targets)).toBe(`flush map ip pea host_ports_of_address
flush map ip pea host_ports
flush set ip pea itself
add element ip pea host_ports { tcp . 8080 : 10.9.8.2 . 80, udp . 53 : 10.9.8.3 . 5353 }
add element ip pea host_ports_of_address { 127.0.0.1 . tcp . 8443 : 10.9.8.2 . 80 }
add element ip pea itself { 10.9.8.2 . 10.9.8.2, 10.9.8.3 . 10.9.8.3 }
`);
  expect(hostPortsScript("pea", [])).not.toContain("add element");
});

test("the table replaces an older one in the same transaction", () => {
  const script = rulesetScript({ table: "pea", bridge: "pea0", subnet: podSubnet("10.9.8.0/24") }, []);
  expect(script).toMatch(/^table ip pea\ndelete table ip pea\ntable ip pea \{/);
  expect(script).toContain('iifname "pea0" ip daddr 127.0.0.0/8 drop');
});

const web = { namespace: "shop", name: "web", hostPorts: [port(8080), port(8443, { hostIP: "192.0.2.2" })] };

test.each<[string, HostPort, boolean]>([
  ["the same port", port(8080), true],
  ["the same port on one address", port(8080, { hostIP: "127.0.0.1" }), true],
  ["another protocol", port(8080, { protocol: "UDP" }), false],
  ["the same address and port", port(8443, { hostIP: "192.0.2.2" }), true],
  ["another address", port(8443, { hostIP: "127.0.0.1" }), false],
  ["all addresses", port(8443), true],
  ["another port", port(9090), false],
])("%s is a conflict: %3$s", (_, wanted, conflict) => {
  const check = () => checkHostPorts([wanted], [web]);
  if (conflict) expect(check).toThrow("is already used by pod shop/web");
  else expect(check).not.toThrow();
});

test("an address that is not IPv4 is refused", () => {
  expect(() => checkHostPorts([port(80, { hostIP: "::1" })], [])).toThrow(
    "host port ::1:80/TCP: hostIP must be an IPv4 address",
  );
});
