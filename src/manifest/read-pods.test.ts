import { describe, expect, test } from "vitest";
import { formatProblem } from "./format-problem.ts";
import { readPods } from "./read-pods.ts";

function read(text: string) {
  const { pods, services, problems } = readPods(text, "x.yaml");
  return {
    pods: pods.map(({ kind, metadata, path, pod }) => ({
      kind,
      name: metadata.name,
      path,
      containers: pod.spec?.containers?.map(({ name }) => name),
    })),
    services,
    problems: problems.map(formatProblem),
  };
}

const template =
  "{metadata: {labels: {a: b}}, spec: {restartPolicy: POLICY, containers: [{name: c, image: i}]}}";
const workload = (apiVersion: string, kind: string, policy: string) =>
  `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: w}, spec: {selector: {matchLabels: {a: b}}, template: ${template.replace("POLICY", policy)}}}`;

describe("readPods", () => {
  test.each([
    ["apps/v1", "Deployment"],
    ["apps/v1", "ReplicaSet"],
    ["apps/v1", "StatefulSet"],
    ["apps/v1", "DaemonSet"],
  ])("finds the template of %s %s", (apiVersion, kind) => {
    expect(read(workload(apiVersion, kind, "Always"))).toEqual({
      pods: [{ kind, name: "w", path: "spec.template", containers: ["c"] }],
      services: [],
      problems: [],
    });
  });

  test("finds the template of a Job and of a CronJob in a List", () => {
    const job = `{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {template: ${template.replace("POLICY", "Never")}}}`;
    const cronJob = `{apiVersion: batch/v1, kind: CronJob, metadata: {name: k}, spec: {schedule: "* * * * *", jobTemplate: {spec: {template: ${template.replace("POLICY", "Never")}}}}}`;
    expect(read(`{apiVersion: v1, kind: List, items: [${job}, ${cronJob}]}`)).toEqual({
      pods: [
        { kind: "Job", name: "j", path: "spec.template", containers: ["c"] },
        { kind: "CronJob", name: "k", path: "spec.jobTemplate.spec.template", containers: ["c"] },
      ],
      services: [],
      problems: [],
    });
  });

  test("a Job's pods may not restart always, a Deployment's must", () => {
    expect(read(workload("apps/v1", "Deployment", "Never")).problems).toEqual([
      expect.stringContaining(
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      ),
    ]);
    const job = `{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}`;
    expect(read(job).problems).toEqual([expect.stringContaining('supported values: "OnFailure", "Never"')]);
  });

  test("a StatefulSet's claims are volumes of its pods", () => {
    const text = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: s}
spec:
  selector: {matchLabels: {a: b}}
  serviceName: s
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: c, image: i, volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
`;
    expect(read(text).problems).toEqual([]);
  });

  test("what this version can't run is no problem, what no API server takes is one", () => {
    const { pods, problems } = read(`
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  activeDeadlineSeconds: 5
  containers:
    - name: c
      image: i
      imagePullPolcy: Always
      livenessProbe: {exec: {command: ["true"]}}
`);
    expect(pods).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/^x\.yaml:10:7: .*imagePullPolcy/)]);
  });

  test("passes over what has no pods and what is not Kubernetes' own", () => {
    expect(
      read(`
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}
---
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: hello}}
---
{apiVersion: example.com/v1, kind: Deployment, metadata: {name: other}}
---
{apiVersion: apps/v1beta1, kind: Deployment, metadata: {name: old}}
`),
    ).toEqual({ pods: [], services: ["web"], problems: [] });
  });

  test.each([
    ["kind: Pod", "apiVersion: Required value"],
    ["{apiVersion: apps/v1, kind: Deploymnt}", 'did you mean "Deployment"'],
    ["{apiVersion: v1, kind: Deployment}", "Deployment is in apps/v1"],
    ["a: [", "x.yaml:"],
    [
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {selector: {matchLabels: {a: b}}, template: 5}}",
      "spec.template",
    ],
  ])("says what is wrong with %s", (text, message) => {
    expect(read(text).problems.join("\n")).toContain(message);
  });
});
