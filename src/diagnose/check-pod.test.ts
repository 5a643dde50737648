import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPods } from "../manifest/read-pods.ts";
import { checkPod } from "./check-pod.ts";
import { describeWays, waysToTalk } from "./ways-to-talk.ts";

function check(metadata: string, kind = "Pod") {
  const spec = '"containers": [{"name": "tools", "image": "busybox"}]';
  const text =
    kind === "Pod"
      ? `{"apiVersion": "v1", "kind": "Pod", "metadata": {${metadata}}, "spec": {${spec}}}`
      : `{"apiVersion": "apps/v1", "kind": "${kind}", "metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {${metadata}}, "spec": {${spec}}}}}`;
  const [pod] = readPods(text, "pod.json").pods;
  return pod === undefined ? [] : checkPod(pod, new Set());
}

const summary = (findings: ReturnType<typeof check>) =>
  findings.map(({ rule, field, suppressed }) => ({ rule, field, suppressed }));

describe("checkPod", () => {
  test("says all that a reader needs", () => {
    expect(check('"name": "x", "namespace": "shop"')).toEqual([
      expect.objectContaining({
        rule: "command-ends",
        severity: "error",
        subject: { apiVersion: "v1", kind: "Pod", name: "x", namespace: "shop" },
        field: "spec.containers[0].image",
        position: { source: "pod.json", line: 1, column: expect.any(Number) },
        docs: "docs/rules/command-ends.md",
        upstream: expect.stringMatching(/^https:\/\/kubernetes\.io\/docs\//),
        suppressed: undefined,
      }),
    ]);
  });

  test("a template's fields are those of its object", () => {
    expect(summary(check('"labels": {"a": "b"}', "Deployment"))).toEqual([
      { rule: "command-ends", field: "spec.template.spec.containers[0].image", suppressed: undefined },
    ]);
  });
});

describe("suppression", () => {
  test("with a reason keeps the finding, but it does not count", () => {
    expect(
      summary(check('"name": "x", "annotations": {"peapod.dev/ignore.command-ends": "a toolbox"}')),
    ).toEqual([{ rule: "command-ends", field: "spec.containers[0].image", suppressed: "a toolbox" }]);
  });

  test("may stand on a template", () => {
    const [finding] = check('"annotations": {"peapod.dev/ignore.command-ends": "a toolbox"}', "DaemonSet");
    expect(finding?.suppressed).toBe("a toolbox");
  });

  test("without a reason has no effect and is a finding itself", () => {
    expect(summary(check('"name": "x", "annotations": {"peapod.dev/ignore.command-ends": "  "}'))).toEqual([
      { rule: "command-ends", field: "spec.containers[0].image", suppressed: undefined },
      {
        rule: "suppression",
        field: "metadata.annotations[peapod.dev/ignore.command-ends]",
        suppressed: undefined,
      },
    ]);
  });

  test("of a rule that does not exist is a finding", () => {
    const findings = check('"name": "x", "annotations": {"peapod.dev/ignore.comand-ends": "a toolbox"}');
    expect(findings.map(({ message }) => message)).toContain('there is no rule "comand-ends" to suppress');
  });
});

describe("broken manifests", () => {
  const root = join(import.meta.dirname, "../../test/fixtures/manifests/broken");

  test.each(globSync("*", { cwd: root }).sort())("%s is read as far as it goes", (file) => {
    const { pods } = readPods(readFileSync(join(root, file)), file);
    expect(() => pods.flatMap((pod) => checkPod(pod, new Set()))).not.toThrow();
  });

  test.each([
    "{apiVersion: v1, kind: Pod}",
    "{apiVersion: v1, kind: Pod, spec: {containers: [null, {}, {name: a}, {ports: [{}, {hostPort: 1}], env: [{}], volumeMounts: [{}]}]}}",
    "{apiVersion: v1, kind: Pod, spec: {containers: 5, initContainers: {}, volumes: [{}, {emptyDir: null}, {projected: {}}]}}",
    "{apiVersion: apps/v1, kind: Deployment}",
    "{apiVersion: apps/v1, kind: Deployment, spec: {template: {spec: {containers: [{name: 'a(', command: [''], args: ['(((']}, {name: '*'}]}}}}",
    "{apiVersion: apps/v1, kind: StatefulSet, spec: {volumeClaimTemplates: [null, {}], template: {spec: {volumes: 1}}}}",
  ])("%s", (text) => {
    const { pods } = readPods(text, "x.yaml");
    expect(() =>
      pods.flatMap((pod) => [checkPod(pod, new Set()), describeWays(waysToTalk(pod.pod, pod.kind))]),
    ).not.toThrow();
  });
});
