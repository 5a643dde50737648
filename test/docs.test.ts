import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { errorReference } from "../tools/generate-error-reference.ts";

const root = join(import.meta.dirname, "..");
const pages = globSync("{*.md,{docs,examples,bench,tools}/**/*.md}", { cwd: root });

/** Relative links of a page, without their anchors; links in code are no links. */
function linksOf(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8").replace(/```.*?```|`[^`\n]*`/gs, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => (match[1] ?? "").replace(/#.*$/, ""))
    .filter((link) => link !== "" && !/^[a-z]+:/.test(link));
}

test.each(pages)("%s links to what is there", (page) => {
  const broken = linksOf(page).filter((link) => !existsSync(join(root, dirname(page), link)));
  expect(broken).toEqual([]);
});

test("every reference page and decision is in the index", () => {
  const listed = linksOf("docs/README.md");
  const there = globSync("{reference,decisions}/*.md", { cwd: join(root, "docs") });
  expect(there.filter((page) => !listed.includes(page))).toEqual([]);
});

test("every example is in the examples' table", () => {
  const listed = linksOf("examples/README.md");
  expect(
    globSync("*.yaml", { cwd: join(root, "examples") }).filter((file) => !listed.includes(file)),
  ).toEqual([]);
});

test("docs/errors.md lists the error catalogue (npm run generate)", () => {
  expect(readFileSync(join(root, "docs/errors.md"), "utf8")).toBe(errorReference());
});
