import { describe, expect, test } from "vitest";
import { ago, now, podOfOwner, statusIn, stepsOf, storedObject } from "../fake-objects.ts";
import { planReplicaSet, type StoredReplicaSet } from "./plan.ts";

function replicaSet(spec: object = {}, metadata: object = {}): StoredReplicaSet {
  return storedObject(
    "apps/v1",
    "ReplicaSet",
    "web",
    {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [] } },
      ...spec,
    },
    metadata,
  );
}

const set = replicaSet();
const own = (name: string, state: Parameters<typeof podOfOwner>[2] = {}) => podOfOwner(set, name, state);

describe("pods", () => {
  test.each<[string, StoredReplicaSet, ReturnType<typeof own>[], string[]]>([
    ["none are there", set, [], ["create pods web-*", "create pods web-*"]],
    ["as many as wanted", set, [own("a"), own("b")], []],
    ["one has failed", set, [own("a"), own("b", { phase: "Failed" })], ["create pods web-*"]],
    ["one is ending", set, [own("a"), own("b", { deletionTimestamp: ago(0) })], ["create pods web-*"]],
    [
      "several have failed one after the other: the next waits",
      set,
      [
        own("a"),
        own("b", { phase: "Failed", creationTimestamp: ago(9) }),
        own("c", { phase: "Failed", creationTimestamp: ago(1) }),
        own("d", { phase: "Failed", creationTimestamp: ago(1) }),
      ],
      [],
    ],
    [
      "more than wanted: the one that is not ready goes",
      set,
      [own("a", { readyFor: 60 }), own("b"), own("c", { readyFor: 60 })],
      ["delete pods b"],
    ],
    [
      "a pending one goes before one that runs",
      replicaSet({ replicas: 1 }),
      [own("a"), own("b", { phase: "Pending" })],
      ["delete pods b"],
    ],
    [
      "the cheaper one goes before the younger",
      replicaSet({ replicas: 1 }),
      [
        own("a", { annotations: { "controller.kubernetes.io/pod-deletion-cost": "-5" } }),
        own("b", { creationTimestamp: ago(1) }),
      ],
      ["delete pods a"],
    ],
    [
      "the one that became ready last goes",
      replicaSet({ replicas: 1 }),
      [own("a", { readyFor: 600 }), own("b", { readyFor: 6 })],
      ["delete pods b"],
    ],
    [
      "nobody's pod that is selected is adopted",
      replicaSet({ replicas: 1 }),
      [podOfOwner(undefined, "a")],
      [
        'patch pods a {"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"uid-web","controller":true,"blockOwnerDeletion":true}]}}',
      ],
    ],
    [
      "its own that is not selected any more is released and replaced",
      replicaSet({ replicas: 1 }),
      [own("a", { labels: { app: "other" } })],
      ['patch pods a {"metadata":{"ownerReferences":null}}', "create pods web-*"],
    ],
    [
      "a set that ends makes, adopts and deletes nothing",
      replicaSet({}, { deletionTimestamp: ago(0) }),
      [podOfOwner(undefined, "a")],
      [],
    ],
  ])("%s", (_, owner, pods, steps) => {
    expect(stepsOf(planReplicaSet(owner, pods, now))).toEqual(steps);
  });

  test("are of the template, and the set's", () => {
    const [create] = planReplicaSet(set, [], now).actions;
    expect(create).toMatchObject({
      object: {
        metadata: {
          generateName: "web-",
          labels: { app: "web" },
          ownerReferences: [{ uid: "uid-web", controller: true, blockOwnerDeletion: true }],
        },
        spec: { containers: [] },
      },
    });
  });
});

describe("status", () => {
  test("counts pods, and waits for those that are not ready for long enough", () => {
    const patient = replicaSet({ replicas: 3, minReadySeconds: 10 });
    const pods = [own("a", { readyFor: 4 }), own("b", { readyFor: 10 }), own("c")];
    const plan = planReplicaSet(patient, pods, now);
    expect(statusIn(plan)).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 2,
      availableReplicas: 1,
      observedGeneration: 1,
    });
    expect(plan.wakeAt).toBe(now + 6_000);
  });

  test("says why pods could not be made, and no more once they could", () => {
    const failure = { reason: "FailedCreate", message: "quota" };
    const condition = { type: "ReplicaFailure", status: "True", ...failure, lastTransitionTime: ago(0) };
    const status = statusIn(planReplicaSet(set, [], now, failure));
    expect(status).toMatchObject({ conditions: [condition] });
    expect(statusIn(planReplicaSet({ ...set, status } as never, [], now))).not.toHaveProperty("conditions");
  });
});
