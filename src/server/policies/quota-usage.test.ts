import { describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../kube/types.ts";
import { amountsText } from "./amounts.ts";
import { isInScope } from "./quota-scopes.ts";
import { countedResource, quotaUsage } from "./quota-usage.ts";

const now = Date.parse("2026-01-01T00:00:00Z");

function object(parts: object): KubernetesObject {
  return { apiVersion: "v1", kind: "K", metadata: {}, ...parts } as KubernetesObject;
}

const resources = { requests: { cpu: "500m", memory: "1Gi" }, limits: { cpu: "1" } };
const podWith = (spec: object, more: object = {}) =>
  object({ spec: { containers: [{ name: "a", resources }], ...spec }, ...more });

test.each([
  [
    "pods",
    podWith({}),
    "count/pods=1,cpu=500m,limits.cpu=1,memory=1Gi,pods=1,requests.cpu=500m,requests.memory=1Gi",
  ],
  ["pods", podWith({}, { status: { phase: "Succeeded" } }), "count/pods=1"],
  ["pods", podWith({}, { metadata: { deletionTimestamp: "2025-12-31T23:59:00Z" } }), "count/pods=1"],
  ["configmaps", object({}), "configmaps=1,count/configmaps=1"],
  ["deployments.apps", object({}), "count/deployments.apps=1"],
  [
    "services",
    object({ spec: { type: "LoadBalancer", ports: [{}, {}] } }),
    "count/services=1,services=1,services.loadbalancers=1,services.nodeports=2",
  ],
  [
    "persistentvolumeclaims",
    object({ spec: { storageClassName: "gold", resources: { requests: { storage: "1Gi" } } } }),
    "count/persistentvolumeclaims=1,gold.storageclass.storage.k8s.io/persistentvolumeclaims=1,gold.storageclass.storage.k8s.io/requests.storage=1Gi,persistentvolumeclaims=1,requests.storage=1Gi",
  ],
])("what %s use", (resource, one, used) => {
  expect(amountsText(quotaUsage(resource, one, now))).toBe(used);
});

test.each([
  ["pods", "pods"],
  ["requests.cpu", "pods"],
  ["limits.memory", "pods"],
  ["requests.hugepages-2Mi", "pods"],
  ["requests.storage", "persistentvolumeclaims"],
  ["gold.storageclass.storage.k8s.io/requests.storage", "persistentvolumeclaims"],
  ["services.nodeports", "services"],
  ["count/jobs.batch", "jobs.batch"],
  ["nothing", undefined],
])("%s is used by %s", (name, resource) => {
  expect(countedResource(name)).toBe(resource);
});

describe("scopes", () => {
  const bestEffort = object({ spec: { containers: [{ name: "a" }] } });
  test.each<[scopes: string[], pod: KubernetesObject, fits: boolean]>([
    [[], bestEffort, true],
    [["BestEffort"], bestEffort, true],
    [["BestEffort"], podWith({}), false],
    [["NotBestEffort", "NotTerminating"], podWith({}), true],
    [["NotBestEffort", "Terminating"], podWith({}), false],
    [["Terminating"], podWith({ activeDeadlineSeconds: 1 }), true],
    [["PriorityClass"], podWith({ priorityClassName: "high" }), true],
    [["PriorityClass"], podWith({}), false],
    [["CrossNamespacePodAffinity"], podWith({}), false],
  ])("%j", (scopes, one, fits) => {
    expect(isInScope({ spec: { scopes } } as Parameters<typeof isInScope>[0], "pods", one)).toBe(fits);
  });

  test.each([
    ["In", ["high"], true],
    ["NotIn", ["high"], false],
    ["Exists", [], true],
    ["DoesNotExist", [], false],
  ])("priority class %s %j", (operator, values, fits) => {
    const matchExpressions = [{ scopeName: "PriorityClass", operator, values }];
    const quota = { spec: { scopeSelector: { matchExpressions } } } as Parameters<typeof isInScope>[0];
    expect(isInScope(quota, "pods", podWith({ priorityClassName: "high" }))).toBe(fits);
  });

  test("only pods have any", () => {
    const quota = { spec: { scopes: ["NotTerminating"] } } as Parameters<typeof isInScope>[0];
    expect(isInScope(quota, "configmaps", object({}))).toBe(false);
  });
});
