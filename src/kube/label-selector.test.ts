import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseLabelSelector } from "./label-selector.ts";

const labels = { app: "web", tier: "", "example.com/x": "1.5", replicas: "3" };

describe("matching", () => {
  test.each([
    ["", true],
    ["app=web", true],
    ["app==web", true],
    ["app = web", true],
    ["app=db", false],
    ["app!=db", true],
    ["missing!=x", true],
    ["app!=web", false],
    ["app", true],
    ["missing", false],
    ["!missing", true],
    ["!app", false],
    ["! missing", true],
    ["tier=", true],
    ["tier", true],
    ["app in (web, db)", true],
    ["app in (db)", false],
    ["app notin (db)", true],
    ["missing notin (db)", true],
    ["app notin (web,db)", false],
    ["tier in (,a)", true],
    ["tier in ()", "error"],
    ["example.com/x=1.5", true],
    ["app=web,tier,!missing,replicas>2", true],
    ["app=web,tier=x", false],
    ["replicas>2", true],
    ["replicas>3", false],
    ["replicas<4", true],
    ["app>1", false],
    ["in=x", false],
    ["in in (x)", false],
  ])("%j: %s", (text, expected) => {
    if (expected === "error") expect(() => parseLabelSelector(text)).toThrow();
    else expect(parseLabelSelector(text)(labels)).toBe(expected);
  });

  test("an object without labels has none", () => {
    expect(parseLabelSelector("!app")(undefined)).toBe(true);
    expect(parseLabelSelector("app")(undefined)).toBe(false);
  });
});

test.each([
  ["a=b,", "found '', expected: identifier after ','"],
  [",a", "found ',', expected: !, identifier, or 'end of string'"],
  ["a in b", "found 'b' expected: '('"],
  ["a b", "found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ["a=b=c", "found '=', expected: ',' or 'end of string'"],
  ["a in (b c)", "found 'c', expected: ',' or ')'"],
  ["!", "found '', expected: identifier"],
  ["a>x", "values[0][a]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"],
])("%j: %s", (text, message) => {
  expect(() => parseLabelSelector(text)).toThrow(
    expect.objectContaining({ code: "BadRequest", message: `unable to parse requirement: ${message}` }),
  );
});

const key = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/).filter((text) => text !== "in" && text !== "notin");
const value = fc.stringMatching(/^[a-z0-9]{1,5}$/);

describe("properties", () => {
  test("in is the union of equals, notin its opposite", () => {
    fc.assert(
      fc.property(key, fc.array(value, { minLength: 1, maxLength: 4 }), value, (name, values, own) => {
        const object = { [name]: own };
        const within = parseLabelSelector(`${name} in (${values.join(",")})`)(object);
        expect(within).toBe(values.some((one) => parseLabelSelector(`${name}=${one}`)(object)));
        expect(parseLabelSelector(`${name} notin (${values.join(",")})`)(object)).toBe(!within);
      }),
    );
  });

  test("any text is read or refused with BadRequest, nothing else", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-c=!<>(), /.-]{0,20}$/), (text) => {
        try {
          parseLabelSelector(text)({ a: "b" });
        } catch (error) {
          expect(error).toMatchObject({ code: "BadRequest" });
        }
      }),
    );
  });
});
