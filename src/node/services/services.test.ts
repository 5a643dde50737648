import { describe, expect, test } from "vitest";
import type { EndpointSlice, Service } from "../../kube/types.ts";
import { nameRecords } from "./name-records.ts";
import { serviceForwards } from "./service-forwards.ts";

const service = (name: string, spec: object, namespace = "shop"): Service =>
  ({ metadata: { name, namespace }, spec }) as Service;

const web = service("web", {
  type: "NodePort",
  clusterIP: "10.96.0.7",
  clusterIPs: ["10.96.0.7"],
  ports: [{ name: "http", port: 80, protocol: "TCP", nodePort: 30_080 }],
});
const headless = service("group", { clusterIP: "None", ports: [{ name: "http", port: 80 }] });

const slice = (of: string, endpoints: object[], ports: object[] = [{ name: "http", port: 8080 }]) =>
  ({
    metadata: { name: `${of}-x`, namespace: "shop", labels: { "kubernetes.io/service-name": of } },
    addressType: "IPv4",
    endpoints,
    ports,
  }) as unknown as EndpointSlice;

const at = (ip: string, conditions: object = {}, rest: object = {}) => ({
  addresses: [ip],
  conditions,
  ...rest,
});
const ending = { ready: false, serving: true, terminating: true };

describe("where a Service leads", () => {
  const backends = (...slices: EndpointSlice[]) =>
    serviceForwards([web], slices, undefined).map(({ backends: found }) =>
      found.map(({ ip, port }) => `${ip}:${port}`),
    );

  test.each<[string, EndpointSlice[], string[]]>([
    ["nowhere without slices", [], []],
    [
      "to ready endpoints, once each, in order",
      [slice("web", [at("10.0.0.3"), at("10.0.0.2", { ready: true })]), slice("web", [at("10.0.0.3")])],
      ["10.0.0.2:8080", "10.0.0.3:8080"],
    ],
    [
      "not to those that end while others are ready",
      [slice("web", [at("10.0.0.2", ending), at("10.0.0.3")])],
      ["10.0.0.3:8080"],
    ],
    ["to those that end where no other is left", [slice("web", [at("10.0.0.2", ending)])], ["10.0.0.2:8080"]],
    ["not to one that is not ready", [slice("web", [at("10.0.0.2", { ready: false })])], []],
    ["not by another's slice", [slice("other", [at("10.0.0.2")])], []],
    ["not by a port of another name", [slice("web", [at("10.0.0.2")], [{ name: "x", port: 1 }])], []],
    [
      "not by a port of another protocol",
      [slice("web", [at("10.0.0.2")], [{ name: "http", protocol: "UDP", port: 1 }])],
      [],
    ],
  ])("%s", (_, slices, expected) => {
    expect(backends(...slices)).toEqual([expected]);
  });

  test("a port of the node only where its type has one", () => {
    const asks = { ...web, spec: { ...web.spec, type: "ClusterIP" } } as Service;
    expect(serviceForwards([web, asks], [], undefined).map(({ nodePort }) => nodePort)).toEqual([
      30_080,
      undefined,
    ]);
  });

  test("not at all for a headless Service or an outside name", () => {
    const outside = service("out", {
      type: "ExternalName",
      externalName: "example.com",
      ports: [{ port: 80 }],
    });
    expect(serviceForwards([headless, outside], [], undefined)).toEqual([]);
  });

  test("default/kubernetes to this node's API, whatever its slice says", () => {
    const kubernetes = service("kubernetes", { clusterIP: "10.96.0.1", ports: [{ port: 443 }] }, "default");
    const api = { ip: "127.0.0.1", port: 6443 };
    expect(serviceForwards([kubernetes], [], api)[0]?.backends).toEqual([api]);
    expect(serviceForwards([kubernetes], [], undefined)[0]?.backends).toEqual([]);
  });
});

describe("names", () => {
  test("of a Service with an address: the address, and its named ports", () => {
    expect(nameRecords([web], [], "cluster.local")).toEqual({
      addresses: [{ name: "web.shop.svc.cluster.local", ip: "10.96.0.7" }],
      aliases: [],
      ports: [
        { name: "_http._tcp.web.shop.svc.cluster.local", target: "web.shop.svc.cluster.local", port: 80 },
      ],
    });
  });

  test("of a headless one: each ready pod's own name first, which its address leads back to", () => {
    const group = "group.shop.svc.cluster.local";
    const slices = [
      slice("group", [at("10.0.0.2", {}, { hostname: "a" }), at("10.0.0.3"), at("10.0.0.4", ending)]),
    ];
    expect(nameRecords([headless], slices, "cluster.local")).toEqual({
      addresses: [
        { name: `a.${group}`, ip: "10.0.0.2" },
        { name: `10-0-0-3.${group}`, ip: "10.0.0.3" },
        { name: group, ip: "10.0.0.2" },
        { name: group, ip: "10.0.0.3" },
      ],
      aliases: [],
      ports: [
        { name: `_http._tcp.${group}`, target: `a.${group}`, port: 8080 },
        { name: `_http._tcp.${group}`, target: `10-0-0-3.${group}`, port: 8080 },
      ],
    });
  });

  test("of one that stands for an outside name: an alias", () => {
    const outside = service("out", { type: "ExternalName", externalName: "example.com." });
    expect(nameRecords([outside], [], "cluster.local").aliases).toEqual([
      { name: "out.shop.svc.cluster.local", target: "example.com" },
    ]);
  });
});
