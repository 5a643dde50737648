import { describe, expect, test } from "vitest";
import type { PersistentVolumeClaim, Pod } from "../../kube/types.ts";
import { applyLimitDefaults, claimLimitProblems, podLimitProblems } from "./limit-range.ts";

type List = Record<string, string>;

const range = (...limits: object[]) =>
  [{ spec: { limits } }] as unknown as Parameters<typeof podLimitProblems>[1];
const pod = (requests: List, limits: List): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  spec: { containers: [{ name: "a", resources: { requests, limits } }] },
});

describe("bounds", () => {
  test.each<[title: string, bounds: object, requests: List, limits: List, problems: string[]]>([
    ["within", { min: { cpu: "1" }, max: { cpu: "2" } }, { cpu: "1" }, { cpu: "2" }, []],
    [
      "no request",
      { min: { cpu: "1" } },
      {},
      {},
      ["minimum cpu usage per Container is 1.  No request is specified"],
    ],
    [
      "a request below",
      { min: { memory: "1Gi" } },
      { memory: "512Mi" },
      {},
      ["minimum memory usage per Container is 1Gi, but request is 512Mi"],
    ],
    [
      "a limit above",
      { max: { cpu: "1" } },
      { cpu: "500m" },
      { cpu: "1500m" },
      ["maximum cpu usage per Container is 1, but limit is 1500m"],
    ],
    [
      "a ratio",
      { maxLimitRequestRatio: { cpu: "2" } },
      { cpu: "100m" },
      { cpu: "250m" },
      ["cpu max limit to request ratio per Container is 2, but provided ratio is 2.500000"],
    ],
    ["a ratio that just fits", { maxLimitRequestRatio: { cpu: "2" } }, { cpu: "100m" }, { cpu: "200m" }, []],
    [
      "a ratio without a limit",
      { maxLimitRequestRatio: { cpu: "2" } },
      { cpu: "100m" },
      {},
      ["cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0"],
    ],
  ])("%s", (_, bounds, requests, limits, problems) => {
    expect(podLimitProblems(pod(requests, limits), range({ type: "Container", ...bounds }))).toEqual(
      problems,
    );
  });

  test("of a pod are for its containers together", () => {
    const two = pod({ cpu: "1" }, { cpu: "1" });
    two.spec?.containers.push({ name: "b", resources: { requests: { cpu: "1" }, limits: { cpu: "1" } } });
    expect(podLimitProblems(two, range({ type: "Pod", max: { cpu: "1500m" } }))).toEqual([
      "maximum cpu usage per Pod is 1500m, but limit is 2",
    ]);
  });

  test("of claims are for what they request", () => {
    const claim: PersistentVolumeClaim = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      spec: { resources: { requests: { storage: "3Gi" } } },
    };
    expect(
      claimLimitProblems(claim, range({ type: "PersistentVolumeClaim", max: { storage: "2Gi" } })),
    ).toEqual(["maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi"]);
  });
});

test("defaults fill what is missing, once", () => {
  const ranges = range({
    type: "Container",
    default: { cpu: "1" },
    defaultRequest: { cpu: "100m", memory: "1Gi" },
  });
  const one = pod({ cpu: "500m" }, {});
  expect(applyLimitDefaults(one, ranges)).toBe(true);
  expect(one.spec?.containers[0]?.resources).toEqual({
    requests: { cpu: "500m", memory: "1Gi" },
    limits: { cpu: "1" },
  });
  expect(one.metadata?.annotations).toEqual({
    "kubernetes.io/limit-ranger":
      "LimitRanger plugin set: memory request for container a; cpu limit for container a",
  });
  expect(applyLimitDefaults(one, ranges)).toBe(false);
});
