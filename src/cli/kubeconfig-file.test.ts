import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { kubeconfigPath, mergeKubeconfig } from "./kubeconfig-file.ts";

const own = `apiVersion: v1
kind: Config
clusters: [{name: peapod, cluster: {server: "https://127.0.0.1:2"}}]
users: [{name: peapod, user: {}}]
contexts: [{name: peapod, context: {cluster: peapod, user: peapod}}]
current-context: peapod
`;

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "peapod-kubeconfig-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "sub", "config");
}

test("a new file gets the context as its current one and is private", () => {
  const path = temporaryFile();
  expect(mergeKubeconfig(path, own)).toEqual({ isCurrent: true });
  expect(parse(readFileSync(path, "utf8"))).toEqual(parse(own));
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("what is there stays, comments and current context too; a second merge replaces the first", () => {
  const path = join(temporaryFile(), "..", "..", "config");
  writeFileSync(path, "# mine\ncurrent-context: work\nclusters:\n- {name: work, cluster: {server: x}}\n");
  mergeKubeconfig(path, own.replace("127.0.0.1:2", "127.0.0.1:1"));
  expect(mergeKubeconfig(path, own)).toEqual({ isCurrent: false });
  const text = readFileSync(path, "utf8");
  expect(text).toContain("# mine");
  const merged = parse(text);
  expect(merged["current-context"]).toBe("work");
  expect(merged.clusters).toEqual([
    { name: "work", cluster: { server: "x" } },
    { name: "peapod", cluster: { server: "https://127.0.0.1:2" } },
  ]);
});

test("a file that is no kubeconfig is left alone", () => {
  const path = join(temporaryFile(), "..", "..", "config");
  writeFileSync(path, "- a list\n");
  expect(() => mergeKubeconfig(path, own)).toThrow(/is no kubeconfig/);
  expect(readFileSync(path, "utf8")).toBe("- a list\n");
});

test("the first file of $KUBECONFIG is meant, as by kubectl config", () => {
  expect(kubeconfigPath({ KUBECONFIG: ":/a:/b" })).toBe("/a");
});
