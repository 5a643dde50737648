import { describe, expect, test } from "vitest";
import {
  environmentVariableProblems,
  labelNameProblems,
  labelValueProblems,
  portNameProblems,
  qualifiedNameProblems,
  subdomainProblems,
} from "./names.ts";

type Check = (text: string) => string[];

describe("good names", () => {
  test.each<[string, Check, string[]]>([
    ["label", labelNameProblems, ["a", "a-b", "0", "a".repeat(63)]],
    ["subdomain", subdomainProblems, ["a", "a.b-c.d", "a".repeat(253)]],
    ["qualified name", qualifiedNameProblems, ["a", "A_b.c", "example.com/name", "x".repeat(63)]],
    ["label value", labelValueProblems, ["", "a", "A_b.c-1"]],
    ["environment variable", environmentVariableProblems, ["A", "a.b-c", "1", "WITH SPACE"]],
    ["port", portNameProblems, ["http", "a1", "1a", "a-b"]],
  ])("%s", (_form, check, names) => {
    for (const name of names) expect(check(name), name).toEqual([]);
  });
});

describe("bad names", () => {
  test.each<[string, Check, string[]]>([
    ["label", labelNameProblems, ["", "A", "a.b", "-a", "a-", "a_b", "a\n", "a".repeat(64)]],
    ["subdomain", subdomainProblems, ["", "A", "a..b", ".a", "a.", "a".repeat(254)]],
    ["qualified name", qualifiedNameProblems, ["", "/a", "a/", "a/b/c", "A.B/c", "-a", "x".repeat(64)]],
    ["label value", labelValueProblems, ["-", "a b", "a/b", "a".repeat(64)]],
    ["environment variable", environmentVariableProblems, ["", "A=B", "ä", "a\tb"]],
    ["port", portNameProblems, ["", "HTTP", "80", "a--b", "-a", "sixteen-letters-"]],
  ])("%s", (_form, check, names) => {
    for (const name of names) expect(check(name), name).not.toEqual([]);
  });
});

test("explains with examples and the pattern, as Kubernetes does", () => {
  expect(labelNameProblems("A")).toEqual([
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ]);
  expect(qualifiedNameProblems("a/b/c")).toEqual([
    "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
  ]);
  expect(qualifiedNameProblems("/a")).toEqual(["prefix part must be non-empty"]);
});
