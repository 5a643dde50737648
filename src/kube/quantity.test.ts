import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityMilliValue,
  quantityProblem,
  quantityValue,
} from "./quantity.ts";

function parse(text: string | number): Quantity {
  const quantity = parseQuantity(text);
  if (quantity === undefined) throw new Error(`no quantity: ${text}`);
  return quantity;
}

describe("parse and format", () => {
  test.each([
    ["0", "0"],
    ["1", "1"],
    ["0.5", "500m"],
    [0.1, "100m"],
    ["1.5", "1500m"],
    ["100m", "100m"],
    ["1000m", "1"],
    ["1024Mi", "1Gi"],
    ["1500Mi", "1500Mi"],
    ["0.5Gi", "512Mi"],
    ["1.5Ki", "1536"],
    ["512", "512"],
    ["1Ki", "1Ki"],
    ["0.5Ki", "512"],
    ["64M", "64M"],
    ["1000k", "1M"],
    [134217728, "134217728"],
    ["1e3", "1e3"],
    ["1E3", "1e3"],
    ["12e6", "12e6"],
    ["1E", "1E"],
    ["5n", "5n"],
    ["0.1n", "1n"],
    ["-5", "-5"],
    ["+5", "5"],
    [".5", "500m"],
    ["5.", "5"],
    ["9223372036854775807", "9223372036854775807"],
    ["99E", "9223372036854775807"],
    ["1e99", "9223372036854775807"],
  ])("%s is %s", (text, canonical) => {
    expect(formatQuantity(parse(text))).toBe(canonical);
  });

  test.each(["", "1 Gi", "1GB", "64MB", "1ki", "1K", "m", ".", "1..2", "--1", "1e", "1e1.5", "0x10", "1,5"])(
    "%j is none",
    (text) => {
      expect(parseQuantity(text)).toBeUndefined();
    },
  );

  test("says why, as Kubernetes does", () => {
    expect(quantityProblem("64MB")).toBe(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
    expect(quantityProblem("64K")).toBe("unable to parse quantity's suffix");
    expect(quantityProblem("1.2.3")).toBe("unable to parse numeric part of quantity");
  });
});

test.each([
  ["1500m", 2n, 1500n],
  ["1n", 1n, 1n],
  ["-1500m", -1n, -1500n],
  ["64Mi", 67108864n, 67108864000n],
])("%s rounds up to %s units and %s thousandths", (text, units, thousandths) => {
  expect(quantityValue(parse(text))).toBe(units);
  expect(quantityMilliValue(parse(text))).toBe(thousandths);
});

const suffix = fc.constantFrom("", "m", "u", "n", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "e-3", "E2");
const texts = fc
  .tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.option(fc.nat(999_999)), suffix)
  .map(([whole, fraction, unit]) => `${whole}${fraction === null ? "" : `.${fraction}`}${unit}`);

describe("properties", () => {
  test("the canonical form is the same amount, and canonical", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const canonical = formatQuantity(parse(text));
        expect(compareQuantities(parse(canonical), parse(text))).toBe(0);
        expect(formatQuantity(parse(canonical))).toBe(canonical);
      }),
    );
  });

  test("comparing is a total order that agrees with adding", () => {
    fc.assert(
      fc.property(texts, texts, texts, (a, b, c) => {
        const [x, y, z] = [parse(a), parse(b), parse(c)];
        expect(Math.sign(compareQuantities(x, y))).toBe(-Math.sign(compareQuantities(y, x)) + 0);
        expect(compareQuantities(addQuantities(x, z), addQuantities(y, z))).toBe(compareQuantities(x, y));
      }),
    );
  });

  test("any integer survives, exactly", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }), (units) => {
        expect(quantityValue(parse(String(units)))).toBe(units);
      }),
    );
  });
});
