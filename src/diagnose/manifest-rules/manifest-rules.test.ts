import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPods } from "../../manifest/read-pods.ts";
import { checkPod } from "../check-pod.ts";
import { manifestRules } from "./registry.ts";

const folder = join(import.meta.dirname, "../../../test/fixtures/manifests/rules");

/** Every pod of a fixture, by name, with the ids of the rules that speak about it. */
function findings(rule: string, file: string): { pod: string; rules: string[]; fields: string[] }[] {
  const path = join(folder, rule, file);
  const { pods, services } = readPods(readFileSync(path), path);
  return pods.map((pod) => {
    const found = checkPod(pod, new Set(services));
    return {
      pod: pod.metadata.name ?? "",
      rules: [...new Set(found.map((finding) => finding.rule))],
      fields: found.filter((finding) => finding.rule === rule).map(({ field }) => field),
    };
  });
}

/** Near-misses of one rule that another one rightly speaks about. */
const alsoFound: Readonly<Record<string, string[]>> = {};

describe.each(manifestRules.map(({ id }) => id))("%s", (rule) => {
  test("speaks about every wrong manifest, and no other rule does", () => {
    const found = findings(rule, "wrong.yaml");
    expect(found.length).toBeGreaterThan(0);
    for (const { pod, rules } of found) expect({ pod, rules }).toEqual({ pod, rules: [rule] });
  });

  test("keeps quiet about near-misses, and so do all others", () => {
    const found = findings(rule, "right.yaml");
    expect(found.length).toBeGreaterThan(0);
    for (const { pod, rules } of found) expect({ pod, rules }).toEqual({ pod, rules: alsoFound[pod] ?? [] });
  });

  test("points at a field that is there", () => {
    const path = join(folder, rule, "wrong.yaml");
    const { pods, services } = readPods(readFileSync(path), path);
    for (const pod of pods) {
      for (const { field, position } of checkPod(pod, new Set(services))) {
        const parent = field.slice(0, Math.max(field.lastIndexOf("."), field.lastIndexOf("[")));
        expect(position, field).not.toEqual(pod.positionOf(parent));
      }
    }
  });
});

test("every fixture belongs to a rule", () => {
  expect(readdirSync(folder).sort()).toEqual(manifestRules.map(({ id }) => id).sort());
});

test("ids are short words that an annotation can hold", () => {
  for (const { id } of manifestRules) expect(id).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+){1,5}$/);
});
