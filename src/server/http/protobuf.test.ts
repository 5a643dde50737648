import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PeapodError } from "../../base/errors.ts";
import { decodeProtobuf } from "./protobuf.ts";

/** The same objects as Go's own API machinery (k8s.io/api 0.36) writes them in protobuf and in JSON. */
const objects = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../test/fixtures/protobuf/objects.json"), "utf8"),
) as { protobuf: string; json: { kind: string } }[];

const byKind = (_apiVersion: string, kind: string) => kind;

/** Without nulls and empty objects: JSON in Go has them for structs that say nothing. */
function meaningful(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meaningful);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, item]) => [key, meaningful(item)] as const)
    .filter(([, item]) => item !== null && item !== undefined && JSON.stringify(item) !== "{}");
  return Object.fromEntries(entries);
}

test.each(objects.map((object) => [object.json.kind, object] as const))(
  "%s reads as the JSON that says the same",
  (_kind, { protobuf, json }) => {
    const decoded = decodeProtobuf(Buffer.from(protobuf, "base64"), byKind);
    expect(meaningful(decoded)).toEqual(meaningful(json));
  },
);

describe("what is no such object is refused", () => {
  const valid = Buffer.from(objects[0]?.protobuf ?? "", "base64");

  function decode(bytes: Uint8Array): void {
    try {
      decodeProtobuf(bytes, byKind);
    } catch (error) {
      expect(error).toBeInstanceOf(PeapodError);
      expect(error).toMatchObject({ code: "BadRequest" });
    }
  }

  test("any bytes", () => {
    expect(() => decodeProtobuf(Buffer.from("{}"), byKind)).toThrow("not valid protobuf");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
        decode(Buffer.concat([Buffer.from("k8s\0"), bytes])),
      ),
    );
  });

  test("bytes that are cut off or changed", () => {
    for (let length = 0; length < valid.length; length += 1) decode(valid.subarray(0, length));
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), (place, byte) => {
        const changed = Buffer.from(valid);
        changed[place] = byte;
        decode(changed);
      }),
      { numRuns: 500 },
    );
  });
});
