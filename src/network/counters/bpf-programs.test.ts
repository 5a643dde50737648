import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { digestOf, sourceFile } from "../../../tools/build-bpf.ts";
import { sourceDigest } from "./traffic-program.ts";

test("the compiled programs are those of traffic.bpf.c: else npm run build:bpf", () => {
  expect(sourceDigest).toBe(digestOf(readFileSync(sourceFile, "utf8")));
});
