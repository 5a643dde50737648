import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFieldSelector } from "./field-selector.ts";

interface Thing {
  readonly name: string;
  readonly phase: string;
}

const supported = {
  "metadata.name": (thing: Thing) => thing.name,
  "status.phase": (thing: Thing) => thing.phase,
};
const thing: Thing = { name: "web", phase: "Running" };

test.each([
  ["", true],
  ["metadata.name=web", true],
  ["metadata.name==web", true],
  ["metadata.name!=web", false],
  ["metadata.name=web,status.phase!=Failed", true],
  ["metadata.name=web,status.phase=Failed", false],
  ["metadata.name=", false],
])("%j: %s", (text, expected) => {
  expect(parseFieldSelector(text, supported)(thing)).toBe(expected);
});

test.each([
  ["spec.foo=x", "field label not supported: spec.foo"],
  ["toString=x", "field label not supported: toString"],
  ["metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
  ["metadata.name=a=b", "invalid field selector: unescaped character in value: ="],
  ["metadata.name=a\\b", "invalid field selector: contains invalid escape sequence: \\b"],
])("%j: %s", (text, message) => {
  expect(() => parseFieldSelector(text, supported)).toThrow(
    expect.objectContaining({ code: "BadRequest", message }),
  );
});

describe("properties", () => {
  test("every value can be asked for when it is escaped", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const escaped = name.replaceAll(/[\\,=]/g, "\\$&");
        expect(parseFieldSelector(`metadata.name=${escaped}`, supported)({ name, phase: "" })).toBe(true);
        expect(parseFieldSelector(`metadata.name!=${escaped}`, supported)({ name, phase: "" })).toBe(false);
      }),
    );
  });
});
