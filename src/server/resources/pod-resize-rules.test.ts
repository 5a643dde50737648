import { expect, test } from "vitest";
import type { KubernetesObject, PodSpec } from "../../kube/types.ts";
import { checkResize, resizedSpec } from "./pod-resize-rules.ts";

type Resources = { requests?: Record<string, string>; limits?: Record<string, string> };

function pod(resources: Resources, init: Resources = {}, sidecar: Resources = {}): KubernetesObject {
  const spec: PodSpec = {
    containers: [{ name: "a", resources }],
    initContainers: [
      { name: "once", resources: init },
      { name: "side", restartPolicy: "Always", resources: sidecar },
    ],
  };
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec } as unknown as KubernetesObject;
}

const burstable: Resources = { requests: { cpu: "1" }, limits: { cpu: "2" } };

test.each<[title: string, next: KubernetesObject, problem: string | undefined]>([
  ["other amounts", pod({ requests: { cpu: "2" }, limits: { cpu: "3" } }), undefined],
  [
    "added amounts",
    pod({ requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2", memory: "2Gi" } }),
    undefined,
  ],
  ["a sidecar", pod(burstable, {}, { requests: { memory: "1Gi" } }), undefined],
  [
    "no limit any more",
    pod({ requests: { cpu: "1" } }),
    "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
  ],
  [
    "another resource",
    pod({ ...burstable, requests: { cpu: "1", "ephemeral-storage": "1Gi" } }),
    "spec: Forbidden: only cpu and memory resources are mutable",
  ],
  [
    "an init container that runs once",
    pod(burstable, { requests: { cpu: "1" } }),
    "spec: Forbidden: only cpu and memory resources for sidecar containers are mutable",
  ],
])("%s", (_, next, problem) => {
  const check = () => checkResize(next, pod(burstable));
  if (problem === undefined) check();
  else expect(check).toThrow(`Pod "p" is invalid: ${problem}`);
});

test("another quality of service class is refused", () => {
  const all = { cpu: "1", memory: "1Gi" };
  const one = (resources: Resources) =>
    ({
      metadata: { name: "p" },
      spec: { containers: [{ name: "a", resources }] },
    }) as unknown as KubernetesObject;
  expect(() =>
    checkResize(one({ requests: all, limits: all }), one({ requests: { cpu: "1" }, limits: all })),
  ).toThrow('spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing');
});

test("nothing but resources and resize policies is taken over", () => {
  const current: PodSpec = { containers: [{ name: "a", image: "one", resources: burstable }, { name: "b" }] };
  const proposed: Partial<PodSpec> = {
    hostNetwork: true,
    containers: [
      { name: "c" },
      { name: "a", image: "two", resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }] },
    ],
  };
  expect(resizedSpec(current, proposed)).toEqual({
    containers: [
      { name: "a", image: "one", resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }] },
      { name: "b" },
    ],
  });
});
