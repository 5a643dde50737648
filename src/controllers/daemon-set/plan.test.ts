import { expect, test } from "vitest";
import type { KubernetesNode, StoredPod } from "../../kube/types.ts";
import { ago, now, podOfOwner, statusIn, stepsOf, storedObject } from "../fake-objects.ts";
import { hashOf, revisionName, type StoredRevision } from "../revisions.ts";
import { planDaemonSet, type StoredDaemonSet } from "./plan.ts";

const node = {
  metadata: { name: "here", labels: { disk: "fast", cores: "4" } },
} as unknown as KubernetesNode;

function daemonSet(spec: object = {}, podSpec: object = {}): StoredDaemonSet {
  return storedObject("apps/v1", "DaemonSet", "agent", {
    selector: { matchLabels: { app: "agent" } },
    template: { metadata: { labels: { app: "agent" } }, spec: { containers: [], ...podSpec } },
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    ...spec,
  });
}

/** A pod of the DaemonSet, of its present template unless it is `old`. */
function pod(
  name: string,
  { old = false, ...state }: Parameters<typeof podOfOwner>[2] & { old?: boolean } = {},
): StoredPod {
  const labels = { app: "agent", "controller-revision-hash": old ? "old" : hashOf(daemonSet() as never) };
  return podOfOwner(daemonSet(), name, { labels, ...state });
}

function plan(set: StoredDaemonSet, pods: StoredPod[]) {
  const revision = {
    ...storedObject("apps/v1", "ControllerRevision", revisionName(set as never), undefined),
    revision: 1,
  };
  return planDaemonSet({ set, pods, revisions: [revision as unknown as StoredRevision], node, now });
}

const surge = {
  updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
};
const onDelete = { updateStrategy: { type: "OnDelete" } };
const affinity = (key: string, operator: string, ...values: string[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
      },
    },
  },
});

test.each<[string, StoredDaemonSet, StoredPod[], string[]]>([
  ["one is made", daemonSet(), [], ["create pods agent-*"]],
  ["one is there", daemonSet(), [pod("a")], []],
  [
    "one is enough: the oldest stays",
    daemonSet(),
    [pod("a", { creationTimestamp: ago(1) }), pod("b")],
    ["delete pods a"],
  ],
  ["one that ends keeps the place", daemonSet(), [pod("a", { deletionTimestamp: ago(0) })], []],
  ["an old one goes", daemonSet(), [pod("a", { old: true, readyFor: 9 })], ["delete pods a"]],
  ["OnDelete: it stays", daemonSet(onDelete), [pod("a", { old: true })], []],
  [
    "with surge the new one comes first",
    daemonSet(surge),
    [pod("a", { old: true, readyFor: 9 })],
    ["create pods agent-*"],
  ],
  [
    "and the old one stays until that is available",
    daemonSet(surge),
    [pod("a", { old: true, readyFor: 9 }), pod("b")],
    [],
  ],
  [
    "then it goes",
    daemonSet(surge),
    [pod("a", { old: true, readyFor: 9 }), pod("b", { readyFor: 1 })],
    ["delete pods a"],
  ],
  [
    "an old one that does not work goes at once",
    daemonSet(surge),
    [pod("a", { old: true })],
    ["delete pods a"],
  ],
  [
    "a failed one goes after a while",
    daemonSet(),
    [pod("a", { phase: "Failed" })],
    [
      "event FailedDaemonPod: Found failed daemon pod default/a on node here, will try to kill it",
      "delete pods a",
      "create pods agent-*",
    ],
  ],
  ["and not before", daemonSet(), [pod("a", { phase: "Failed", creationTimestamp: ago(9) })], []],
  ["not on this node", daemonSet({}, { nodeSelector: { disk: "slow" } }), [pod("a")], ["delete pods a"]],
  ["on this node", daemonSet({}, { nodeSelector: { disk: "fast" } }), [], ["create pods agent-*"]],
  ["by another name", daemonSet({}, { nodeName: "there" }), [], []],
  ["affinity: In", daemonSet({}, affinity("disk", "In", "fast", "slow")), [], ["create pods agent-*"]],
  ["affinity: NotIn", daemonSet({}, affinity("disk", "NotIn", "fast")), [], []],
  ["affinity: Gt", daemonSet({}, affinity("cores", "Gt", "3")), [], ["create pods agent-*"]],
  ["affinity: DoesNotExist", daemonSet({}, affinity("disk", "DoesNotExist")), [], []],
])("%s", (_, set, pods, steps) => {
  expect(stepsOf(plan(set, pods))).toEqual(steps);
});

test("its status counts nodes", () => {
  expect(statusIn(plan(daemonSet(), [pod("a", { old: true, readyFor: 9 })]))).toEqual({
    desiredNumberScheduled: 1,
    currentNumberScheduled: 1,
    numberMisscheduled: 0,
    numberReady: 1,
    updatedNumberScheduled: 0,
    numberAvailable: 1,
    observedGeneration: 1,
  });
  expect(statusIn(plan(daemonSet({}, { nodeName: "there" }), [pod("a")]))).toMatchObject({
    desiredNumberScheduled: 0,
    currentNumberScheduled: 0,
    numberMisscheduled: 1,
  });
});
