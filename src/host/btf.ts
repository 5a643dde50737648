import { readFileSync } from "node:fs";

/** The kernel's own type information (https://docs.kernel.org/bpf/btf.html). */
const kernelTypes = "/sys/kernel/btf/vmlinux";

const magic = 0xeb9f;
const kindFunction = 12;
/** Words behind a type's own three, by kind: so many, and so many for each of its members. */
const behind: readonly (readonly [once: number, each: number])[] = Array.from({ length: 32 }, () => [0, 0]);
Object.assign(behind, {
  1: [1, 0], // INT
  3: [3, 0], // ARRAY
  4: [0, 3], // STRUCT
  5: [0, 3], // UNION
  6: [0, 2], // ENUM
  13: [0, 2], // FUNC_PROTO
  14: [1, 0], // VAR
  15: [0, 3], // DATASEC
  17: [1, 0], // DECL_TAG
  19: [0, 3], // ENUM64
});

/**
 * The number by which BPF programs call a function of the running kernel; undefined where the kernel has no such function, or
 * doesn't tell. Reads some megabytes: some milliseconds.
 */
export function kernelFunction(name: string): number | undefined {
  try {
    return functionIn(readFileSync(kernelTypes), name);
  } catch {
    return undefined;
  }
}

/** The same in the bytes of such a file; little-endian, as the machines are on which this runs. */
export function functionIn(data: Buffer, name: string): number | undefined {
  if (data.readUInt16LE(0) !== magic) return undefined;
  const headerLength = data.readUInt32LE(4);
  const types = headerLength + data.readUInt32LE(8);
  const typesLength = data.readUInt32LE(12);
  const strings = headerLength + data.readUInt32LE(16);
  const found = data.indexOf(`\0${name}\0`, strings);
  if (found === -1) return undefined;
  const nameOffset = found + 1 - strings;
  // A copy, for its alignment. Array reads, because calls in a loop that runs but once cost five times as much.
  const words = new Uint32Array(new Uint8Array(data.subarray(types, types + typesLength)).buffer);
  for (let at = 0, id = 1; at + 3 <= words.length; id += 1) {
    const information = words[at + 1] as number;
    const kind = (information >>> 24) & 0x1f;
    if (kind === kindFunction && words[at] === nameOffset) return id;
    const [once, each] = behind[kind] as (typeof behind)[number];
    at += 3 + once + each * (information & 0xffff);
  }
  return undefined;
}
