import { expect, test } from "vitest";
import type { Pod, PodSpec } from "../kube/types.ts";
import { defaultPod } from "./default-pod.ts";

function defaulted(spec: Partial<PodSpec>): PodSpec {
  const pod: Pod = { apiVersion: "v1", kind: "Pod", spec: { containers: [], ...spec } };
  defaultPod(pod);
  const once = structuredClone(pod);
  defaultPod(pod);
  expect(pod, "defaulting twice").toEqual(once);
  return pod.spec as PodSpec;
}

test("the smallest pod", () => {
  expect(defaulted({ containers: [{ name: "a", image: "busybox" }] })).toEqual({
    containers: [
      {
        name: "a",
        image: "busybox",
        imagePullPolicy: "Always",
        resources: {},
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
      },
    ],
    dnsPolicy: "ClusterFirst",
    enableServiceLinks: true,
    restartPolicy: "Always",
    schedulerName: "default-scheduler",
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  });
});

test("what is set stays", () => {
  const spec = { dnsPolicy: "Default", restartPolicy: "Never", enableServiceLinks: false } as const;
  expect(defaulted({ ...spec, terminationGracePeriodSeconds: 0 })).toMatchObject({
    ...spec,
    terminationGracePeriodSeconds: 0,
  });
});

test("requests come from limits, one by one", () => {
  const resources = { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } };
  const spec = defaulted({
    containers: [{ name: "a", resources }],
    initContainers: [{ name: "b", resources }],
  });
  for (const container of [spec.containers[0], spec.initContainers?.[0]]) {
    expect(container?.resources?.requests).toEqual({ cpu: "500m", memory: "1Gi" });
  }
});

test("ports are TCP, and the host's own on the host's network", () => {
  const container = (): PodSpec["containers"] => [{ name: "a", ports: [{ containerPort: 80 }] }];
  expect(defaulted({ containers: container() }).containers[0]?.ports).toEqual([
    { containerPort: 80, protocol: "TCP" },
  ]);
  expect(defaulted({ containers: container(), hostNetwork: true }).containers[0]?.ports).toEqual([
    { containerPort: 80, hostPort: 80, protocol: "TCP" },
  ]);
});

test("probes, volumes and references", () => {
  const spec = defaulted({
    serviceAccount: "robot",
    terminationGracePeriodSeconds: -5,
    containers: [
      {
        name: "a",
        livenessProbe: { httpGet: { port: 80 }, timeoutSeconds: 0 },
        env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
      },
    ],
    volumes: [{ name: "empty" }, { name: "host", hostPath: { path: "/x" } }, { name: "s", secret: {} }],
  });
  expect(spec.containers[0]?.livenessProbe).toEqual({
    failureThreshold: 3,
    httpGet: { path: "/", port: 80, scheme: "HTTP" },
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 1,
  });
  expect(spec.containers[0]?.env?.[0]?.valueFrom?.fieldRef?.apiVersion).toBe("v1");
  expect(spec.volumes).toEqual([
    { name: "empty", emptyDir: {} },
    { name: "host", hostPath: { path: "/x", type: "" } },
    { name: "s", secret: { defaultMode: 0o644 } },
  ]);
  expect(spec.serviceAccountName).toBe("robot");
  expect(spec.terminationGracePeriodSeconds).toBe(1);
});
