import { describe, expect, test } from "vitest";
import { hostnameFor, hostsFile, resolvConfFor } from "./pod-files.ts";
import type { Pod } from "./types.ts";

function pod(name: string, spec: Partial<NonNullable<Pod["spec"]>> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop" },
    spec: { containers: [{ name: "main" }], ...spec },
  };
}

describe("host name", () => {
  test.each<[string, Pod, string]>([
    ["is the pod's name", pod("web"), "web"],
    ["is spec.hostname where given", pod("web", { hostname: "db-0" }), "db-0"],
    ["is cut to 63 characters", pod("a".repeat(70)), "a".repeat(63)],
    ["never ends in a dash or dot after the cut", pod(`${"a".repeat(61)}.-b`), "a".repeat(61)],
    ["is short with a subdomain", pod("web", { subdomain: "group" }), "web"],
    [
      "is the full name with setHostnameAsFQDN",
      pod("web", { subdomain: "group", setHostnameAsFQDN: true }),
      "web.group.shop.svc.cluster.local",
    ],
    [
      "is hostnameOverride above all",
      pod("web", { hostname: "x", hostnameOverride: "other.example" }),
      "other.example",
    ],
  ])("%s", (_, given, expected) => {
    expect(hostnameFor(given)).toBe(expected);
  });

  test("over 64 characters with setHostnameAsFQDN is refused", () => {
    const long = pod("a".repeat(60), { subdomain: "group", setHostnameAsFQDN: true });
    expect(() => hostnameFor(long)).toThrow("is too long (64 characters is the max");
  });
});

describe("/etc/hosts", () => {
  test("names the pod for each of its addresses, then its aliases", () => {
    const given = pod("web", {
      subdomain: "group",
      hostAliases: [{ ip: "10.1.2.3", hostnames: ["foo.local", "bar.local"] }],
    });
    expect(hostsFile(given, ["10.244.0.2", "fd00::2"], "ignored")).toBe(
      `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
10.244.0.2\tweb.group.shop.svc.cluster.local\tweb
fd00::2\tweb.group.shop.svc.cluster.local\tweb

# Entries added by HostAliases.
10.1.2.3\tfoo.local\tbar.local
`,
    );
  });

  test("in the host's network is the host's, with the aliases", () => {
    const given = pod("web", { hostNetwork: true, hostAliases: [{ ip: "10.1.2.3", hostnames: ["foo"] }] });
    expect(hostsFile(given, ["192.0.2.2"], "127.0.0.1 localhost\n")).toBe(
      "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n\n# Entries added by HostAliases.\n10.1.2.3\tfoo\n",
    );
  });
});

describe("/etc/resolv.conf", () => {
  const host = `# made by hand
domain old.example
search first.example
search second.example. second.example third.example ; comment
nameserver 192.0.2.53
nameserver 192.0.2.54
options ndots:2 edns0
`;

  test("without a cluster DNS is the host's, whatever the policy", () => {
    const expected =
      "search second.example third.example\nnameserver 192.0.2.53\nnameserver 192.0.2.54\noptions ndots:2 edns0\n";
    for (const dnsPolicy of ["Default", "ClusterFirst", "ClusterFirstWithHostNet"] as const) {
      expect(resolvConfFor(pod("web", { dnsPolicy }), host, undefined)).toBe(expected);
    }
  });

  test.each<[string, object, boolean]>([
    ["ClusterFirst", {}, true],
    ["ClusterFirst", { hostNetwork: true }, false],
    ["ClusterFirstWithHostNet", { hostNetwork: true }, true],
    ["Default", {}, false],
  ])("with a cluster DNS, policy %s and %o: the cluster's %s", (dnsPolicy, spec, isForCluster) => {
    const text = resolvConfFor(pod("web", { dnsPolicy, ...spec } as never), host, "10.244.0.1");
    expect(text).toBe(
      isForCluster
        ? "search shop.svc.cluster.local svc.cluster.local cluster.local second.example third.example\nnameserver 10.244.0.1\noptions ndots:5\n"
        : "search second.example third.example\nnameserver 192.0.2.53\nnameserver 192.0.2.54\noptions ndots:2 edns0\n",
    );
  });

  test("takes dnsConfig on top: no doubles, options by name, three name servers", () => {
    const dnsConfig = {
      nameservers: ["192.0.2.54", "192.0.2.55", "192.0.2.56"],
      searches: ["third.example", "own.example"],
      options: [{ name: "ndots", value: "5" }, { name: "single-request" }],
    };
    expect(resolvConfFor(pod("web", { dnsConfig }), host, undefined)).toBe(
      "search second.example third.example own.example\nnameserver 192.0.2.53\nnameserver 192.0.2.54\nnameserver 192.0.2.55\noptions ndots:5 edns0 single-request\n",
    );
  });

  test("with policy None is dnsConfig alone", () => {
    const dnsConfig = { nameservers: ["192.0.2.1"] };
    expect(resolvConfFor(pod("web", { dnsPolicy: "None", dnsConfig }), host, undefined)).toBe(
      "nameserver 192.0.2.1\n",
    );
  });

  test("keeps 32 search domains of 2048 characters", () => {
    const many = Array.from({ length: 40 }, (_, index) => `d${index}.example`);
    const long = Array.from(
      { length: 20 },
      (_, index) => `${String(index).padStart(2, "0")}${"x".repeat(198)}`,
    );
    const searches = (names: string[]) =>
      resolvConfFor(pod("web", { dnsPolicy: "None", dnsConfig: { searches: names } }), "", undefined)
        .split(/\s+/)
        .slice(1, -1);
    expect(searches(many)).toEqual(many.slice(0, 32));
    expect(searches(long)).toHaveLength(10);
  });
});
