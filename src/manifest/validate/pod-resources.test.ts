import { expect, test } from "vitest";
import type { PodSpec } from "../../kube/types.ts";
import { validatePodResources } from "./pod-resources.ts";

function problems(resources: object, container: object): string[] {
  const spec = { resources, containers: [{ name: "a", resources: container }] } as unknown as PodSpec;
  return validatePodResources(spec).map(({ field, message }) => `${field}: ${message}`);
}

test("enough for the containers is right", () => {
  const requests = { cpu: "1", memory: "1Gi" };
  expect(problems({ requests, limits: requests }, { requests: { cpu: "1" }, limits: { cpu: "1" } })).toEqual(
    [],
  );
});

test("less than the containers ask for together is wrong", () => {
  expect(problems({ requests: { cpu: "100m" } }, { requests: { cpu: "200m" } })).toEqual([
    'spec.resources.requests[cpu]: Invalid value: "100m": must be greater than or equal to aggregate container requests of 200m',
  ]);
});

test("a container's limit over the pod's is wrong", () => {
  expect(problems({ limits: { memory: "1Mi" } }, { limits: { memory: "2Mi" } })).toEqual([
    'spec.containers[0].resources.limits[memory]: Invalid value: "2Mi": must be less than or equal to pod limits of 1048576',
  ]);
});

test("what a pod can't share out is not supported", () => {
  expect(problems({ limits: { "ephemeral-storage": "1Gi" } }, {})).toEqual([
    'spec.resources.limits[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"',
  ]);
});
