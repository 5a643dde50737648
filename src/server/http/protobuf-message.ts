import { PeapodError } from "../../base/errors.ts";

/** A field's value as the wire has it: a number, or the bytes of a text, message or packed list. */
export type ProtobufValue = bigint | Uint8Array;

/**
 * The fields of one protobuf message by number, repeated ones in their order
 * (https://protobuf.dev/programming-guides/encoding/). BadRequest for bytes that end too early or are of no known form.
 */
export function readMessage(bytes: Uint8Array): ReadonlyMap<number, readonly ProtobufValue[]> {
  const fields = new Map<number, ProtobufValue[]>();
  let position = 0;

  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[position];
      if (byte === undefined) break;
      position += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed();
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - position) throw malformed();
    position += length;
    return bytes.subarray(position - length, position);
  };

  while (position < bytes.length) {
    const tag = Number(varint());
    const [number, form] = [Math.floor(tag / 8), tag % 8];
    const value = readValue(form, varint, take);
    const present = fields.get(number);
    if (present === undefined) fields.set(number, [value]);
    else present.push(value);
  }
  return fields;
}

function readValue(form: number, varint: () => bigint, take: (length: number) => Uint8Array): ProtobufValue {
  if (form === 0) return varint();
  if (form === 2) return take(Number(varint()));
  if (form === 1) return Buffer.from(take(8)).readBigUInt64LE();
  if (form === 5) return BigInt(Buffer.from(take(4)).readUInt32LE());
  throw malformed();
}

/** A number of a field that may be negative. */
export function signedNumber(value: ProtobufValue): number {
  if (value instanceof Uint8Array) throw malformed();
  return Number(BigInt.asIntN(64, value));
}

function malformed(): PeapodError {
  return new PeapodError("BadRequest", "the request's body is not valid protobuf");
}
