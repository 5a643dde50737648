import { describe, expect, test } from "vitest";
import type { PodSpec, StoredPod, Volume } from "../../kube/types.ts";
import { volumeFiles } from "./volume-files.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

function files(source: Partial<Volume>, spec: Partial<PodSpec> = {}) {
  const pod = {
    metadata: {
      name: "web",
      namespace: "shop",
      uid: "u-1",
      labels: { b: "2", a: 'q"\n\\é\u0001\u00a0' },
      annotations: { "example.com/x": "y" },
    },
    spec: {
      containers: [{ name: "c", resources: { limits: { memory: "64Mi" } } }],
      ...spec,
    },
  } as unknown as StoredPod;
  const found = volumeFiles(
    pod,
    { name: "v", ...source },
    {
      objects: {
        configMap: (name) =>
          name === "settings"
            ? { data: { colour: "blue" }, binaryData: { bytes: base64("\0\xff") } }
            : undefined,
        secret: (name) => (name === "login" ? { data: { password: base64("secret") } } : undefined),
      },
      allocatable: { cpu: "4" },
      token: (audience, seconds) => `token for ${audience ?? "the API"}, ${seconds} s`,
    },
  );
  return (
    found &&
    Object.fromEntries(
      [...found].map(([path, { data, ...rest }]) => [path, [Buffer.from(data).toString(), rest]]),
    )
  );
}

describe("configMap and secret", () => {
  test("every key is a file with defaultMode", () => {
    expect(files({ configMap: { name: "settings", defaultMode: 0o400 } })).toEqual({
      colour: ["blue", { mode: 0o400 }],
      bytes: ["\0ÿ", { mode: 0o400 }],
    });
    expect(files({ secret: { secretName: "login" } })).toEqual({ password: ["secret", { mode: 0o644 }] });
  });

  test("items choose keys, paths and modes", () => {
    const items = [{ key: "colour", path: "deep/er/c", mode: 0o600 }];
    expect(files({ configMap: { name: "settings", items } })).toEqual({
      "deep/er/c": ["blue", { mode: 0o600 }],
    });
  });

  test("what is missing and optional makes no file", () => {
    expect(files({ configMap: { name: "gone", optional: true } })).toEqual({});
    const items = [{ key: "none", path: "x" }];
    expect(files({ secret: { secretName: "login", optional: true, items } })).toEqual({});
  });

  test.each([
    [{ configMap: { name: "gone" } }, 'configmap "gone" not found'],
    [{ secret: { secretName: "gone" } }, 'secret "gone" not found'],
    [
      { configMap: { name: "settings", items: [{ key: "none", path: "x" }] } },
      "configmap references non-existent config key: none",
    ],
    [
      { secret: { secretName: "login", items: [{ key: "none", path: "x" }] } },
      "references non-existent secret key: none",
    ],
  ])("what is missing otherwise is an error: %#", (source, message) => {
    expect(() => files(source)).toThrow(expect.objectContaining({ code: "FailedMount", message }));
  });
});

test("downwardAPI writes fields, sorted maps in Go's quotes, and resources", () => {
  const items = [
    { path: "name", fieldRef: { fieldPath: "metadata.name" } },
    { path: "labels", fieldRef: { fieldPath: "metadata.labels" }, mode: 0o400 },
    { path: "memory", resourceFieldRef: { containerName: "c", resource: "limits.memory", divisor: "1Mi" } },
    { path: "cpu", resourceFieldRef: { containerName: "c", resource: "limits.cpu" } },
  ];
  expect(files({ downwardAPI: { items } })).toEqual({
    name: ["web", { mode: 0o644 }],
    labels: ['a="q\\"\\n\\\\é\\x01\\u00a0"\nb="2"', { mode: 0o400 }],
    memory: ["64", { mode: 0o644 }],
    cpu: ["4", { mode: 0o644 }],
  });
});

describe("projected", () => {
  const token = (spec: Partial<PodSpec> = {}) =>
    files({ projected: { sources: [{ serviceAccountToken: { path: "t", audience: "vault" } }] } }, spec)?.t;

  test("puts several sources together", () => {
    const sources = [
      { configMap: { name: "settings", items: [{ key: "colour", path: "c" }] } },
      { secret: { name: "login" } },
      { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
      { serviceAccountToken: { path: "token", expirationSeconds: 600 } },
    ];
    expect(files({ projected: { sources, defaultMode: 0o440 } })).toEqual({
      c: ["blue", { mode: 0o440 }],
      password: ["secret", { mode: 0o440 }],
      name: ["web", { mode: 0o440 }],
      token: ["token for the API, 600 s", { mode: 0o440 }],
    });
  });

  test("a token is its reader's only", () => {
    const user = (runAsUser: number) => ({ name: "c", securityContext: { runAsUser } });
    expect(token()).toEqual(["token for vault, 3600 s", { mode: 0o644 }]);
    expect(token({ securityContext: { fsGroup: 5 } })?.[1]).toEqual({ mode: 0o600 });
    expect(token({ securityContext: { runAsUser: 7 } })?.[1]).toEqual({ mode: 0o600, owner: 7 });
    expect(token({ containers: [user(7), user(7)] })?.[1]).toEqual({ mode: 0o600, owner: 7 });
    expect(token({ containers: [user(7), user(8)] })?.[1]).toEqual({ mode: 0o644 });
  });
});

test("other volumes have no files from the API", () => {
  expect(files({ emptyDir: {} })).toBeUndefined();
});
