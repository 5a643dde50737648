import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPods } from "../manifest/read-pods.ts";
import { checkPod } from "./check-pod.ts";

const root = join(import.meta.dirname, "../..");

/** Everything, mere information too, that is said of a file: `severity rule field`. */
function findingsOf(path: string): string[] {
  const { pods, services } = readPods(readFileSync(join(root, path)), path);
  return pods
    .flatMap((pod) => checkPod(pod, new Set(services)))
    .map(({ severity, rule, field }) => `${severity} ${rule} ${field}`);
}

/** What is rightly said of the manifests of the corpus; of all others nothing. */
const expected: Readonly<Record<string, string[]>> = {
  "ambassador-native": ["info sidecar-without-startup-probe spec.initContainers[0]"],
  "cloud-sql-plain": ["info sidecar-stopped-early spec.template.spec.containers[1]"],
  mesh: ["info memory-volume-limit spec.volumes[1].emptyDir"],
  "shared-memory-training": ["info shm-split spec.initContainers[0]"],
  "wordpress-mysql-one-pod": ["warning neighbour-by-name spec.containers[0].env[0].value"],
};

describe("manifests as Kubernetes' own documentation and others have them", () => {
  const files = globSync("test/fixtures/manifests/corpus/*.yaml", { cwd: root }).sort();

  test.each(files)("%s raises no false alarm", (path) => {
    const name = path.replace(/^.*\/|\.yaml$/g, "");
    expect(findingsOf(path)).toEqual(expected[name] ?? []);
  });

  test.each(files)("%s is valid", (path) => {
    const { problems } = readPods(readFileSync(join(root, path)), path);
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("has some forty pods", () => {
    const pods = files.flatMap((path) => readPods(readFileSync(join(root, path)), path).pods);
    expect(pods.length).toBeGreaterThanOrEqual(40);
  });
});

describe("manifests of this repository", () => {
  const files = globSync("{examples,test/fixtures/pods}/*.yaml", { cwd: root });

  test.each(files.sort())("%s raises no false alarm", (path) => {
    expect(findingsOf(path)).toEqual([]);
  });
});
