import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../kube/types.ts";
import { applyConfiguration } from "./apply.ts";
import {
  decodeFields,
  difference,
  encodeFields,
  type FieldSet,
  fieldPaths,
  intersection,
  union,
} from "./field-set.ts";
import type { ManagedSet } from "./managers.ts";
import { readManagers, writeManagers } from "./managers.ts";
import { trackUpdate } from "./track.ts";

const identity = { uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };

function pod(spec: object, metadata: object = {}): KubernetesObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p", ...identity, ...metadata }, spec };
}

/** Applies one configuration after another as a client would, each with its manager. */
function applier(type = "Pod") {
  let object = pod({});
  let managers: readonly ManagedSet[] = [];
  let isNew = true;
  return {
    apply(manager: string, configuration: KubernetesObject, force = false) {
      const by = { manager, operation: "Apply", apiVersion: "v1" } as const;
      // What nobody owns in a new object is nobody's, not the first applier's.
      const known = isNew ? [{ by: { ...by, manager: "nobody" }, fields: decodeFields({}) }] : managers;
      const options = { type, by, managers: known, force, now: 0 };
      ({ object, managers } = applyConfiguration(object, configuration, options));
      isNew = false;
      return object;
    },
    update(change: (live: KubernetesObject) => KubernetesObject, manager = "editor") {
      const after = change(structuredClone(object));
      const by = { manager, operation: "Update", apiVersion: "v1" } as const;
      managers = trackUpdate(managers, by, { type, part: "object", before: object, after, now: 0 });
      object = after;
    },
    fields: (manager: string) =>
      encodeFields(managers.find(({ by }) => by.manager === manager)?.fields ?? decodeFields({})),
    spec: () => object.spec as Record<string, unknown>,
  };
}

const container = (name: string, more: object = {}) => ({ name, image: "i", ...more });

describe("server-side apply", () => {
  test("lists of objects merge by their keys, whoever applies them", () => {
    const { apply, spec, fields } = applier();
    apply("one", pod({ containers: [container("a", { args: ["1"] })] }));
    apply("two", pod({ containers: [container("b", { ports: [{ containerPort: 80 }] })] }));
    expect(spec().containers).toEqual([
      container("a", { args: ["1"] }),
      container("b", { ports: [{ containerPort: 80 }] }),
    ]);
    // The default protocol is part of the port's key.
    expect(fields("two")).toEqual({
      "f:spec": {
        "f:containers": {
          'k:{"name":"b"}': {
            ".": {},
            "f:image": {},
            "f:name": {},
            "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
          },
        },
      },
    });
  });

  test("what its only owner no longer applies goes, defaults in it too; what others own stays", () => {
    const { apply, update, spec } = applier();
    const probe = { httpGet: { port: 80 } };
    apply("one", pod({ containers: [container("a", { readinessProbe: probe }), container("b")] }));
    update((live) => {
      const [first, ...others] = (live.spec as { containers: object[] }).containers;
      return {
        ...live,
        spec: { containers: [{ ...first, readinessProbe: { ...probe, periodSeconds: 10 } }, ...others] },
      };
    }, "defaulter");
    apply("two", pod({ containers: [container("b")] }));
    apply("one", pod({ containers: [container("a", { readinessProbe: probe })] }));
    expect((spec().containers as object[]).map((one) => (one as { name: string }).name)).toEqual(["a", "b"]);
    apply("two", pod({}));
    expect(spec().containers).toEqual([container("a", { readinessProbe: { ...probe, periodSeconds: 10 } })]);
  });

  test("another's value is a conflict that names the owner and the field; force takes it over", () => {
    const { apply, update, fields } = applier();
    apply("one", pod({ containers: [container("a")] }));
    const other = pod({ containers: [{ name: "a", image: "j" }] });
    expect(() => apply("two", other)).toThrow(
      'Apply failed with 1 conflict: conflict with "one": .spec.containers[name="a"].image',
    );
    // The same value is shared, not contested.
    apply("two", pod({ containers: [container("a")] }));
    expect(() => apply("two", other)).toThrow('conflict with "one"');
    apply("two", other, true);
    expect(JSON.stringify(fields("one"))).not.toContain("f:image");

    update((live) => ({ ...live, spec: { containers: [{ name: "a", image: "k" }] } }));
    expect(JSON.stringify(fields("two"))).not.toContain("f:image");
    expect(() => apply("two", other)).toThrow(
      'conflict with "editor" using v1 at 1970-01-01T00:00:00Z: .spec.containers[name="a"].image',
    );
  });

  test("atomic lists have one owner", () => {
    const { apply } = applier();
    apply("one", pod({ containers: [container("a", { args: ["1", "2"] })] }));
    expect(() => apply("two", pod({ containers: [container("a", { args: ["1", "3"] })] }))).toThrow(
      '.spec.containers[name="a"].args',
    );
  });

  test("an update that changes nothing changes no owner", () => {
    const { apply, update, fields } = applier();
    apply("one", pod({ containers: [container("a")] }, { labels: { x: "1" } }));
    const before = fields("one");
    update((live) => live);
    expect(fields("one")).toEqual(before);
    expect(fields("editor")).toEqual({});
    update((live) => ({ ...live, metadata: { ...live.metadata, labels: { x: "2" } } }));
    expect(fields("editor")).toEqual({ "f:metadata": { "f:labels": { "f:x": {} } } });
  });

  test("applying the same again is a no-op, in any order of managers", () => {
    const labels = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom("1", "2"));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("one", "two"), labels), { maxLength: 6 }), (steps) => {
        const { apply, fields } = applier();
        const wanted = new Map<string, Record<string, string>>();
        for (const [manager, value] of steps) {
          const configuration = pod({}, { labels: value });
          const object = apply(manager, configuration, true);
          wanted.set(manager, value);
          expect(object.metadata.labels ?? {}).toMatchObject(value);
          const owners = [fields("one"), fields("two")];
          expect(apply(manager, configuration)).toEqual(object);
          expect([fields("one"), fields("two")]).toEqual(owners);
        }
        // Nothing is left that no manager wants any more.
        const all = new Set([...wanted.values()].flatMap((value) => Object.keys(value)));
        const last = apply("one", pod({}, { labels: wanted.get("one") ?? {} }), true);
        expect([...all]).toEqual(expect.arrayContaining(Object.keys(last.metadata.labels ?? {})));
      }),
    );
  });
});

test.each([
  [
    ["a", "b", "c"],
    ["b", "x"],
    ["a", "b", "c", "x"],
  ],
  [
    ["a", "b", "c"],
    ["x", "b"],
    ["a", "x", "b", "c"],
  ],
  [
    ["a", "b", "c"],
    ["c", "a"],
    ["b", "c", "a"],
  ],
  [[], ["b", "a"], ["b", "a"]],
])("%j with %j applied is in the order %j", (live, applied, expected) => {
  const { apply, spec } = applier();
  apply("one", pod({ containers: live.map((name) => container(name)) }));
  apply("two", pod({ containers: applied.map((name) => container(name)) }));
  expect((spec().containers as { name: string }[]).map(({ name }) => name)).toEqual(expected);
});

describe("field sets", () => {
  const steps = fc.constantFrom("f:a", "f:b", 'k:{"name":"x"}', 'v:"s"', "i:0");
  const tree = fc.letrec<{ set: FieldSet; leaf: FieldSet; branch: FieldSet }>((tie) => ({
    set: fc.oneof({ maxDepth: 3 }, tie("leaf"), tie("branch")),
    leaf: fc.constant({ member: true, children: new Map<string, FieldSet>() }),
    branch: fc.record({
      member: fc.boolean(),
      children: fc
        .array(fc.tuple(steps, tie("set")), { minLength: 1, maxLength: 3 })
        .map((pairs) => new Map(pairs)),
    }),
  })).set;
  const paths = (set: FieldSet) => new Set(fieldPaths(set));

  test("they are sets of paths", () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const [inA, inB] = [paths(a), paths(b)];
        expect(paths(union(a, b))).toEqual(inA.union(inB));
        expect(paths(difference(a, b))).toEqual(inA.difference(inB));
        expect(paths(intersection(a, b))).toEqual(inA.intersection(inB));
      }),
    );
  });

  test("what is written in managedFields reads back", () => {
    fc.assert(
      fc.property(tree, (set) => {
        const by = { manager: "m", operation: "Apply", apiVersion: "v1" } as const;
        const root = { member: false, children: union(set, decodeFields({})).children };
        const managedFields = writeManagers([{ by, fields: root }]);
        const again = readManagers({ metadata: { managedFields } })[0]?.fields ?? decodeFields({});
        expect(encodeFields(again)).toEqual(encodeFields(root));
      }),
    );
  });
});
