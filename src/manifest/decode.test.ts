import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeStrict } from "./decode.ts";

function problemsOf(type: string, value: unknown): string[] {
  return decodeStrict(type, value).problems.map(({ field, message }) => `${field}: ${message}`);
}

describe("clean copies", () => {
  test("nulls are absent, quantities canonical, the original untouched", () => {
    const original = {
      spec: {
        nodeName: null,
        containers: [{ name: "a", resources: { limits: { cpu: 0.5, memory: "1024Mi" } } }, null],
        volumes: [{ name: "v", emptyDir: {} }],
      },
    };
    const before = structuredClone(original);
    expect(decodeStrict("Pod", original)).toEqual({
      value: {
        spec: {
          containers: [{ name: "a", resources: { limits: { cpu: "500m", memory: "1Gi" } } }, {}],
          volumes: [{ name: "v", emptyDir: {} }],
        },
      },
      problems: [],
    });
    expect(original).toEqual(before);
  });

  test("a label named __proto__ is a label", () => {
    const value = JSON.parse('{"metadata": {"labels": {"__proto__": "x"}}}');
    const { metadata } = decodeStrict("Pod", value).value as { metadata: { labels: object } };
    expect(Object.entries(metadata.labels)).toEqual([["__proto__", "x"]]);
  });

  test("a port may be a number or a name", () => {
    const probe = (port: unknown) => ({ spec: { containers: [{ livenessProbe: { tcpSocket: { port } } }] } });
    expect(problemsOf("Pod", probe(80))).toEqual([]);
    expect(problemsOf("Pod", probe("http"))).toEqual([]);
    expect(problemsOf("Pod", probe(true))).toEqual([
      "spec.containers[0].livenessProbe.tcpSocket.port: Invalid value: true: expected integer or string, got boolean",
    ]);
  });
});

describe("unknown fields", () => {
  test.each<[string, unknown, string]>([
    [
      "a misspelling",
      { spec: { containers: [{ Image: "x" }] } },
      'spec.containers[0].Image: unknown field: did you mean "image"?',
    ],
    ["a singular", { spec: { container: [] } }, 'spec.container: unknown field: did you mean "containers"?'],
    [
      "snake case",
      { spec: { restart_policy: "Never" } },
      'spec.restart_policy: unknown field: did you mean "restartPolicy"?',
    ],
    ["too high", { containers: [] }, "containers: unknown field: it belongs at spec.containers"],
    [
      "too deep",
      { spec: { containers: [{ hostNetwork: true }] } },
      "spec.containers[0].hostNetwork: unknown field: it belongs at spec.hostNetwork",
    ],
    [
      "in the wrong branch",
      { spec: { labels: {} } },
      "spec.labels: unknown field: it belongs at metadata.labels",
    ],
    ["at the root", { name: "x" }, "name: unknown field: it belongs at metadata.name"],
    ["nowhere at all", { spec: { frobnicate: 1 } }, "spec.frobnicate: unknown field"],
  ])("%s", (_what, value, expected) => {
    expect(problemsOf("Pod", value)).toEqual([expected]);
  });
});

describe("wrong types", () => {
  test.each<[unknown, string]>([
    ["x", 'Invalid value: "x": expected object, got string'],
    [[], "Invalid value: expected object, got list"],
  ])("%j for an object", (value, expected) => {
    expect(problemsOf("Pod", { spec: value })).toEqual([`spec: ${expected}`]);
  });

  test.each<[string, unknown, string]>([
    ["terminationGracePeriodSeconds", 1.5, "Invalid value: 1.5: expected integer, got number"],
    ["terminationGracePeriodSeconds", 2 ** 70, `Invalid value: ${2 ** 70}: must fit into 64 bits`],
    ["priority", 2 ** 31, "Invalid value: 2147483648: must fit into 32 bits"],
    ["hostNetwork", 1, "Invalid value: 1: expected boolean, got integer"],
    ["nodeSelector", { a: 1 }, 'Invalid value: 1: expected string, got integer; put it in quotes: "1"'],
    ["containers", {}, "Invalid value: expected list, got object"],
  ])("%s: %j", (field, value, expected) => {
    expect(problemsOf("Pod", { spec: { [field]: value } })[0]?.replace(/^spec\.\w+(\[a\])?: /, "")).toBe(
      expected,
    );
  });

  test("a time is RFC 3339", () => {
    expect(problemsOf("Event", { firstTimestamp: "2026-11-22T23:00:00Z" })).toEqual([]);
    expect(problemsOf("Event", { firstTimestamp: "yesterday" })).toEqual([
      'firstTimestamp: Invalid value: "yesterday": must be a time in RFC 3339, for example 2026-11-22T23:00:00Z',
    ]);
  });
});

test("any JSON at all is decoded or refused, and what comes out decodes to itself", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const { value: clean } = decodeStrict("Pod", { spec: value, metadata: value });
      expect(decodeStrict("Pod", clean)).toEqual({ value: clean, problems: [] });
    }),
  );
});
