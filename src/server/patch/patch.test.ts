import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyJSONPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { applyStrategicMergePatch } from "./strategic-merge-patch.ts";

describe("JSON Patch, by the examples of RFC 6902", () => {
  test.each([
    [{ foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { baz: "qux", foo: "bar" }],
    [{ foo: ["bar", "baz"] }, [{ op: "add", path: "/foo/1", value: "qux" }], { foo: ["bar", "qux", "baz"] }],
    [{ foo: ["bar"] }, [{ op: "add", path: "/foo/-", value: ["abc"] }], { foo: ["bar", ["abc"]] }],
    [{ baz: "qux", foo: "bar" }, [{ op: "remove", path: "/baz" }], { foo: "bar" }],
    [{ foo: ["bar", "qux", "baz"] }, [{ op: "remove", path: "/foo/1" }], { foo: ["bar", "baz"] }],
    [{ baz: "qux" }, [{ op: "replace", path: "/baz", value: "boo" }], { baz: "boo" }],
    [
      { foo: { bar: "baz", waldo: "fred" }, qux: { corge: "grault" } },
      [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }],
      { foo: { bar: "baz" }, qux: { corge: "grault", thud: "fred" } },
    ],
    [
      { foo: ["all", "grass", "cows"] },
      [{ op: "move", from: "/foo/1", path: "/foo/2" }],
      { foo: ["all", "cows", "grass"] },
    ],
    [{ "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: 10 }], { "/": 9, "~1": 10 }],
    [{ a: 1 }, [{ op: "copy", from: "/a", path: "/b" }], { a: 1, b: 1 }],
    [{ a: 1 }, [{ op: "replace", path: "", value: [] }], []],
  ])("%j", (document, patch, result) => {
    const before = structuredClone(document);
    expect(applyJSONPatch(document, patch)).toEqual(result);
    expect(document).toEqual(before);
  });

  test.each([
    [{ foo: "bar" }, [{ op: "add", path: "/baz/bat", value: "qux" }], "Invalid"],
    [{ baz: "qux" }, [{ op: "test", path: "/baz", value: "bar" }], "Invalid"],
    [{ a: [1] }, [{ op: "add", path: "/a/3", value: 1 }], "Invalid"],
    [{ a: [1] }, [{ op: "remove", path: "/a/length" }], "Invalid"],
    [{}, [{ op: "remove", path: "/__proto__" }], "Invalid"],
    [{}, [{ op: "jump", path: "/a" }], "BadRequest"],
    [{}, { op: "add" }, "BadRequest"],
  ])("%j refuses %j", (document, patch, code) => {
    expect(() => applyJSONPatch(document, patch)).toThrow(expect.objectContaining({ code }));
  });

  test("pollutes no prototype", () => {
    for (const path of ["/__proto__", "/__proto__/polluted", "/constructor/prototype/polluted"]) {
      expect(() => applyJSONPatch({}, [{ op: "add", path, value: { polluted: true } }])).toThrow();
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("JSON Merge Patch, by the examples of RFC 7386", () => {
  test.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("%j + %j", (target, patch, result) => expect(applyMergePatch(target, patch)).toEqual(result));

  test("applying a patch twice is applying it once", () => {
    const object = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.jsonValue());
    fc.assert(
      fc.property(object, object, (target, patch) => {
        const once = applyMergePatch(target, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });
});

describe("strategic merge patch", () => {
  const pod = {
    metadata: { finalizers: ["a"] },
    spec: {
      containers: [
        { name: "x", image: "1", args: ["a", "b"], env: [{ name: "A", value: "1" }] },
        { name: "y", image: "2" },
      ],
    },
  };
  const apply = (patch: object) => applyStrategicMergePatch("Pod", pod, patch) as typeof pod;

  test("containers merge by name, plain lists are replaced, new ones are added", () => {
    const { spec } = apply({
      spec: {
        containers: [
          { name: "x", args: ["c"], env: [{ name: "B", value: "2" }] },
          { name: "z", image: "3" },
        ],
      },
    });
    expect(spec.containers).toEqual([
      {
        name: "x",
        image: "1",
        args: ["c"],
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "2" },
        ],
      },
      { name: "y", image: "2" },
      { name: "z", image: "3" },
    ]);
  });

  test("directives delete, replace, order and retain", () => {
    expect(apply({ spec: { containers: [{ name: "x", $patch: "delete" }] } }).spec.containers).toHaveLength(
      1,
    );
    const replaced = apply({ spec: { containers: [{ $patch: "replace" }, { name: "z" }] } });
    expect(replaced.spec.containers).toEqual([{ name: "z" }]);
    const ordered = apply({
      spec: { $setElementOrder_: 1, "$setElementOrder/containers": [{ name: "y" }, { name: "x" }] },
    });
    expect(ordered.spec.containers.map(({ name }) => name)).toEqual(["y", "x"]);
    expect(apply({ spec: { $retainKeys: ["other"], other: 1 } }).spec).toEqual({ other: 1 });
    expect(apply({ metadata: { $patch: "replace", labels: { a: "b" } } }).metadata).toEqual({
      labels: { a: "b" },
    });
  });

  test("finalizers are a set", () => {
    expect(apply({ metadata: { finalizers: ["b", "a"] } }).metadata.finalizers).toEqual(["a", "b"]);
    expect(apply({ metadata: { "$deleteFromPrimitiveList/finalizers": ["a"] } }).metadata.finalizers).toEqual(
      [],
    );
  });

  test("an item without its key is refused", () => {
    expect(() => apply({ spec: { containers: [{ image: "1" }] } })).toThrow(
      "does not contain declared merge key: name",
    );
  });
});
