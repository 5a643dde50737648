import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { layoutFor } from "../host/layout.ts";
import type { OCIRuntime } from "./oci-runtime.ts";
import { SeccompFilters } from "./seccomp-filters.ts";
import type { OCISeccomp, OCISpec } from "./spec/oci.ts";

const annotation = "run.oci.seccomp_bpf_data";
const profile: OCISeccomp = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [] };
const spec = { annotations: { kept: "yes" }, linux: { cgroupsPath: "/c" } } as unknown as OCISpec;
const filter = Buffer.from("0123456789abcdef");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "peapod-seccomp-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function makeFilters(takesCompiledSeccomp = true): SeccompFilters {
  const runtime: OCIRuntime = {
    name: "crun",
    version: "1.8.1",
    file: "/usr/bin/crun",
    path: "/usr/bin/crun",
    root: join(folder, "runtime"),
    takesCompiledSeccomp,
  };
  return new SeccompFilters(layoutFor(join(folder, "state"), join(folder, "run")), runtime, "x86_64");
}

function runtimeLeaves(id: string, content: Buffer): void {
  mkdirSync(join(folder, "runtime", id), { recursive: true });
  writeFileSync(join(folder, "runtime", id, "seccomp.bpf"), content);
}

test("gives the profile first, then the filter that the runtime made of it, also after a restart", () => {
  const filters = makeFilters();
  expect(filters.addTo(spec, profile)).toEqual({ ...spec, linux: { ...spec.linux, seccomp: profile } });
  runtimeLeaves("one", filter);
  filters.learnFrom("one", profile);
  const expected = { ...spec, annotations: { kept: "yes", [annotation]: filter.toString("base64") } };
  expect(filters.addTo(spec, profile)).toEqual(expected);
  expect(makeFilters().addTo(spec, profile)).toEqual(expected);
  expect(filters.addTo(spec, { ...profile, defaultErrnoRet: 1 }).annotations).toEqual({ kept: "yes" });
});

test("a runtime that does not take the filter gets no further one", () => {
  const filters = makeFilters();
  runtimeLeaves("one", filter);
  filters.learnFrom("one", profile);
  expect(() => filters.learnFrom("two", profile)).toThrow("crun did not take its compiled seccomp filter");
  expect(filters.addTo(spec, profile).linux.seccomp).toEqual(profile);
  filters.learnFrom("three", profile);
});

test("nothing is learnt from half a filter or from a runtime that takes none", () => {
  const filters = makeFilters();
  runtimeLeaves("one", filter.subarray(1));
  filters.learnFrom("one", profile);
  expect(filters.addTo(spec, profile).linux.seccomp).toEqual(profile);
  const plain = makeFilters(false);
  runtimeLeaves("two", filter);
  plain.learnFrom("two", profile);
  expect(plain.addTo(spec, profile).linux.seccomp).toEqual(profile);
});

test("which profile a container gets", () => {
  const filters = makeFilters();
  const of = (own: object, pod: object = {}) =>
    filters.profileFor({ containers: [], securityContext: pod }, { name: "c", securityContext: own }, []);
  expect(of({})?.defaultAction).toBe("SCMP_ACT_ERRNO");
  expect(of({}, { seccompProfile: { type: "Unconfined" } })).toBeUndefined();
  expect(
    of({ seccompProfile: { type: "RuntimeDefault" } }, { seccompProfile: { type: "Unconfined" } }),
  ).toBeDefined();
  expect(of({ privileged: true, seccompProfile: { type: "RuntimeDefault" } })).toBeUndefined();
  const local = { seccompProfile: { type: "Localhost", localhostProfile: "../../mine.json" } };
  expect(() => of(local)).toThrow("seccomp profile ../../mine.json is not in");
  mkdirSync(join(folder, "state", "seccomp-profiles"), { recursive: true });
  writeFileSync(join(folder, "state", "seccomp-profiles", "mine.json"), '{"defaultAction": "SCMP_ACT_LOG"}');
  expect(of(local)).toEqual({ defaultAction: "SCMP_ACT_LOG", syscalls: [] });
});
