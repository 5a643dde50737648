import { describe, expect, test } from "vitest";
import type { Container, StoredPod } from "../../kube/types.ts";
import { containerVariables } from "./variables.ts";

const pod = {
  metadata: {
    name: "web",
    namespace: "shop",
    uid: "u-1",
    labels: { app: "web" },
    annotations: { "example.com/note": 'say "hi"' },
  },
  spec: { nodeName: "here", containers: [] },
} as unknown as StoredPod;

const base64 = (text: string) => Buffer.from(text).toString("base64");

const objects = {
  configMap: (name: string) =>
    name === "settings" ? { data: { colour: "blue", "log.level": "warn" } } : undefined,
  secret: (name: string) => (name === "login" ? { data: { password: base64("pässword") } } : undefined),
};

function variables(container: Partial<Container>, podIPs: string[] = ["10.1.2.3", "fd00::3"]) {
  const sources = {
    objects,
    podIPs,
    hostIPs: ["192.0.2.7"],
    services: new Map(),
    allocatable: { cpu: "4", memory: "8Gi", "ephemeral-storage": "100Gi" },
    fileVariable: (volume: string, path: string, name: string) =>
      volume === "v" && path === "a.env" && name === "KEY" ? "from file" : undefined,
  };
  return Object.fromEntries(containerVariables(pod, { name: "c", ...container } as Container, sources));
}

const from = (valueFrom: object): Partial<Container> => ({ env: [{ name: "X", valueFrom }] as never });
const configMapKey = (name: string, key: string, optional?: boolean) =>
  from({ configMapKeyRef: { name, key, ...(optional === undefined ? {} : { optional }) } });
const secretKey = (name: string, key: string, optional?: boolean) =>
  from({ secretKeyRef: { name, key, ...(optional === undefined ? {} : { optional }) } });

test("entries refer to those before them, also to those of envFrom", () => {
  expect(
    variables({
      envFrom: [{ configMapRef: { name: "settings" } }],
      env: [
        { name: "A", value: "$(colour)" },
        { name: "B", value: "$(A)-$(C)-$$(A)" },
        { name: "C", value: "late" },
        { name: "EMPTY" },
      ],
    }),
  ).toEqual({ colour: "blue", "log.level": "warn", A: "blue", B: "blue-$(C)-$(A)", C: "late", EMPTY: "" });
});

test("envFrom puts its prefix before every key; env and later sources win", () => {
  expect(
    variables({
      envFrom: [
        { prefix: "P-", configMapRef: { name: "settings" } },
        { configMapRef: { name: "settings" } },
        { secretRef: { name: "login" } },
        { secretRef: { name: "gone", optional: true } },
      ],
      env: [{ name: "colour", value: "red" }],
    }),
  ).toEqual({
    "P-colour": "blue",
    "P-log.level": "warn",
    colour: "red",
    "log.level": "warn",
    password: "pässword",
  });
});

describe("keys of ConfigMaps and Secrets", () => {
  test("become values", () => {
    expect(variables(configMapKey("settings", "colour"))).toEqual({ X: "blue" });
    expect(variables(secretKey("login", "password"))).toEqual({ X: "pässword" });
  });

  test("that are missing and optional are left out", () => {
    expect(variables(configMapKey("gone", "k", true))).toEqual({});
    expect(variables(configMapKey("settings", "k", true))).toEqual({});
    expect(variables(secretKey("gone", "k", true))).toEqual({});
    expect(variables(secretKey("login", "k", true))).toEqual({});
  });

  test.each([
    [configMapKey("gone", "k"), 'configmap "gone" not found'],
    [configMapKey("settings", "k"), "couldn't find key k in ConfigMap shop/settings"],
    [secretKey("gone", "k"), 'secret "gone" not found'],
    [secretKey("login", "k"), "couldn't find key k in Secret shop/login"],
    [{ envFrom: [{ configMapRef: { name: "gone" } }] }, 'configmap "gone" not found'],
    [{ envFrom: [{ secretRef: { name: "gone" } }] }, 'secret "gone" not found'],
  ])("that are missing otherwise are an error: %#", (container, message) => {
    expect(() => variables(container)).toThrow(
      expect.objectContaining({ code: "CreateContainerConfigError", message }),
    );
  });
});

test.each([
  ["metadata.name", "web"],
  ["metadata.namespace", "shop"],
  ["metadata.uid", "u-1"],
  ["metadata.labels['app']", "web"],
  ["metadata.labels['none']", ""],
  ["metadata.annotations['example.com/note']", 'say "hi"'],
  ["spec.nodeName", "here"],
  ["spec.serviceAccountName", "default"],
  ["status.hostIP", "192.0.2.7"],
  ["status.hostIPs", "192.0.2.7"],
  ["status.podIP", "10.1.2.3"],
  ["status.podIPs", "10.1.2.3,fd00::3"],
])("field %s", (fieldPath, value) => {
  expect(variables(from({ fieldRef: { fieldPath } }))).toEqual({ X: value });
});

test.each([
  ["limits.cpu", "0", { limits: { cpu: "1250m" } }, "2"],
  ["limits.cpu", "1m", { limits: { cpu: "1250m" } }, "1250"],
  ["limits.cpu", "1", {}, "4"],
  ["requests.cpu", "1m", {}, "0"],
  ["requests.cpu", "1m", { requests: { cpu: "250m" } }, "250"],
  ["limits.memory", "0", { limits: { memory: "64Mi" } }, "67108864"],
  ["limits.memory", "1Mi", { limits: { memory: "64Mi" } }, "64"],
  ["limits.memory", "1Gi", { limits: { memory: "64Mi" } }, "1"],
  ["limits.memory", "1Gi", {}, "8"],
  ["requests.memory", "1", { requests: { memory: "32Mi" } }, "33554432"],
  ["limits.ephemeral-storage", "1Gi", {}, "100"],
  ["limits.hugepages-2Mi", "1Mi", { limits: { "hugepages-2Mi": "4Mi" } }, "4"],
])("resource %s in units of %s of %j is %s", (resource, divisor, resources, value) => {
  expect(variables({ ...from({ resourceFieldRef: { resource, divisor } }), resources })).toEqual({
    X: value,
  });
});

test("a variable of a file", () => {
  const file = (key: string, optional?: boolean) =>
    from({ fileKeyRef: { volumeName: "v", path: "a.env", key, optional } });
  expect(variables(file("KEY"))).toEqual({ X: "from file" });
  expect(variables(file("NONE", true))).toEqual({});
  expect(() => variables(file("NONE"))).toThrow('environment variable key "NONE" not found');
});
