import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { bpfSources, digestOf } from "../../../tools/build-bpf.ts";
import { sourceDigest as traffic } from "./traffic-program.ts";
import { sourceDigest as unix } from "./unix-program.ts";

test("the compiled programs are those of the sources: else npm run build:bpf", () => {
  const sources = bpfSources.map(({ source }) => [basename(source), digestOf(readFileSync(source, "utf8"))]);
  expect(Object.fromEntries(sources)).toEqual({ "traffic.bpf.c": traffic, "unix.bpf.c": unix });
});
