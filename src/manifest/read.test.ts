import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatProblem } from "./format-problem.ts";
import { readManifest } from "./read.ts";
import type { ManifestFile } from "./types.ts";

const good = join(import.meta.dirname, "../../test/fixtures/manifests/good");

function lines(file: ManifestFile): string[] {
  return file.problems.map(formatProblem);
}

/** A namespace whose metadata goes on with `body`. */
function namespace(body: string): string {
  return `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team\n${body}`;
}

test.each(readdirSync(good))("%s is accepted without a word", (file) => {
  const result = readManifest(readFileSync(join(good, file)), file);
  expect(lines(result)).toEqual([]);
  expect(result.objects).not.toEqual([]);
});

describe("scalars as Kubernetes reads YAML 1.1", () => {
  const value = (text: string) => {
    const { objects, problems } = readManifest(namespace(`  generation: ${text}\n`), "n.yaml");
    return problems[0]?.message ?? objects[0]?.object.metadata?.generation;
  };

  test.each([
    ["0644", 420],
    ["0o644", 420],
    ["0x1F", 31],
    ["0b11", 3],
    ["1_000", 1000],
    ["-017", -15],
    ["08", 8],
    ["+5", 5],
    ["1e3", 1000],
    ["5.0", 5],
    ["yes", "Invalid value: true: expected integer, got boolean"],
    ["off", "Invalid value: false: expected integer, got boolean"],
    ["Y", "Invalid value: true: expected integer, got boolean"],
    ["1:30", 'Invalid value: "1:30": expected integer, got string'],
    ["2026-11-22", 'Invalid value: "2026-11-22": expected integer, got string'],
    ['"5"', 'Invalid value: "5": expected integer, got string; write it without quotes'],
    ["'yes'", 'Invalid value: "yes": expected integer, got string'],
    ["0.1.2", 'Invalid value: "0.1.2": expected integer, got string'],
  ])("%s", (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  test.each(["~", "null", ""])("%j is absent", (text) => {
    expect(value(text) ?? undefined).toBeUndefined();
  });
});

describe("where things stand", () => {
  const text = [
    "# first line",
    "apiVersion: v1",
    "kind: Pod",
    "metadata: {name: web, labels: {example.com/a.b: x}}",
    "spec:",
    "  containers:",
    "  - name: app",
    "    image: busybox",
    "    resources:",
    "      limits: {cpu: 1}",
  ];

  test.each([
    ["", 2, 1],
    ["kind", 3, 1],
    ["metadata.labels[example.com/a.b]", 4, 32],
    ["spec.containers", 6, 3],
    ["spec.containers[0]", 7, 5],
    ["spec.containers[0].image", 8, 5],
    ["spec.containers[0].resources.limits[cpu]", 10, 16],
    ["spec.containers[0].ports[3].name", 7, 5],
    ["status.phase", 2, 1],
  ])("%s", (path, line, column) => {
    for (const newline of ["\n", "\r\n"]) {
      const { objects } = readManifest(text.join(newline), "web.yaml");
      expect(objects[0]?.positionOf(path)).toEqual({ source: "web.yaml", line, column });
    }
  });

  test("in later documents, and behind aliases", () => {
    const two = `${namespace("")}---\n${namespace("  labels: &l {a: b}\n  annotations: *l\n")}`;
    const { objects } = readManifest(two, "n.yaml");
    expect(objects[1]?.positionOf("metadata.name")).toMatchObject({ line: 9, column: 3 });
    expect(objects[1]?.positionOf("metadata.annotations[a]")).toMatchObject({ line: 10, column: 15 });
  });
});

test("a byte order mark and comments change nothing", () => {
  const result = readManifest(Buffer.from(`\uFEFF${namespace("")}`), "n.yaml");
  expect(lines(result)).toEqual([]);
  expect(result.objects[0]?.positionOf("")).toMatchObject({ line: 1, column: 1 });
});

test("anchors and merge keys are YAML", () => {
  const { objects, problems } = readManifest(
    namespace("  labels: &common {a: b}\n  annotations:\n    <<: *common\n    c: d\n"),
    "n.yaml",
  );
  expect(problems).toEqual([]);
  expect(objects[0]?.object.metadata?.annotations).toEqual({ a: "b", c: "d" });
});

test("one bad document does not hide the others, nor what is wrong with them", () => {
  const result = readManifest(`a: [\n---\n${namespace("  colour: red\n")}---\n${namespace("")}`, "n.yaml");
  expect(result.objects).toHaveLength(1);
  expect(lines(result)).toEqual([
    "n.yaml:2:1: a `[` has no `]`, or the lines up to it are indented too little",
    "n.yaml:7:3: metadata.colour: unknown field",
  ]);
});

test.each(["[".repeat(20_000), `a: ${"{b: ".repeat(20_000)}`, "- ".repeat(20_000)])(
  "nesting without end is refused, not followed",
  (text) => {
    const { objects, problems } = readManifest(text, "n.yaml");
    expect(objects).toEqual([]);
    expect(problems).not.toEqual([]);
  },
);
