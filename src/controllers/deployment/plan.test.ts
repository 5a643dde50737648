import { describe, expect, test } from "vitest";
import { ago, now, podOfOwner, statusIn, stepsOf, storedObject } from "../fake-objects.ts";
import { controllerReference } from "../ownership.ts";
import type { StoredReplicaSet } from "../replica-set/plan.ts";
import type { StoredDeployment } from "./deployment.ts";
import { planDeployment } from "./plan.ts";

const template = (image: string) => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "main", image }] },
});

function deployment(spec: object = {}, status: object = {}, metadata: object = {}): StoredDeployment {
  return storedObject(
    "apps/v1",
    "Deployment",
    "web",
    {
      replicas: 4,
      selector: { matchLabels: { app: "web" } },
      template: template("b"),
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 2,
      ...spec,
    },
    metadata,
    status,
  );
}

/** A set of the Deployment: `image` says of which template, `size` and `available` of how many pods. */
function replicaSet(
  image: string,
  size: number,
  available = size,
  { desired = 4, max = 5, revision = image === "b" ? 9 : 1, name = `web-${image}` } = {},
): StoredReplicaSet {
  const labels = { app: "web", "pod-template-hash": name };
  const { spec } = template(image);
  return storedObject(
    "apps/v1",
    "ReplicaSet",
    name,
    { replicas: size, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    {
      labels,
      annotations: {
        "deployment.kubernetes.io/revision": String(revision),
        "deployment.kubernetes.io/desired-replicas": String(desired),
        "deployment.kubernetes.io/max-replicas": String(max),
      },
      ownerReferences: [controllerReference(deployment())],
      creationTimestamp: ago(10_000 - revision),
    },
    { replicas: size, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  );
}

function plan(of: StoredDeployment, sets: StoredReplicaSet[], rest: object = {}) {
  return planDeployment({ deployment: of, sets, pods: [], isTaken: () => false, now, ...rest });
}

/** Sizes that the plan gives to sets. */
function sizes(of: StoredDeployment, sets: StoredReplicaSet[], rest: object = {}): Record<string, number> {
  const { actions } = plan(of, sets, rest);
  const entries = actions.flatMap((action): [string, number][] => {
    if (action.do === "create") {
      return [["new", (action.object.spec as { replicas: number }).replicas]];
    }
    if (action.do !== "patch") return [];
    const { replicas } = (action.patch.spec ?? {}) as { replicas?: number };
    return replicas === undefined ? [] : [[action.name, replicas]];
  });
  return Object.fromEntries(entries);
}

describe("a rolling update", () => {
  test.each<[string, StoredReplicaSet[], Record<string, number>]>([
    ["the first set gets all pods", [], { new: 4 }],
    ["the new set is made as large as maxSurge allows", [replicaSet("a", 4)], { new: 1 }],
    [
      "then the old one gives what maxUnavailable allows",
      [replicaSet("a", 4), replicaSet("b", 1, 0)],
      { "web-a": 3 },
    ],
    ["the room is taken", [replicaSet("a", 3), replicaSet("b", 1, 0)], { "web-b": 2 }],
    ["nothing goes on while too few are available", [replicaSet("a", 3), replicaSet("b", 2, 0)], {}],
    ["one more is available, one old one goes", [replicaSet("a", 3), replicaSet("b", 2, 1)], { "web-a": 2 }],
    [
      "old pods that do not work go first",
      [replicaSet("a", 2, 0), replicaSet("c", 2, 2, { revision: 2 }), replicaSet("b", 1, 1)],
      { "web-a": 0 },
    ],
    [
      "the last old one goes when all new ones are there",
      [replicaSet("a", 1), replicaSet("b", 4)],
      { "web-a": 0 },
    ],
    [
      "an old one that does not work stays while new ones come",
      [replicaSet("a", 3, 2), replicaSet("b", 2, 0)],
      {},
    ],
    ["done", [replicaSet("a", 0), replicaSet("b", 4)], {}],
    [
      "a set that has the template already is grown",
      [replicaSet("c", 4, 4, { revision: 12 }), replicaSet("b", 0)],
      { "web-b": 1 },
    ],
  ])("%s", (_, sets, expected) => {
    expect(sizes(deployment(), sets)).toEqual(expected);
  });

  test("never has more than maxSurge too many nor fewer than maxUnavailable available, whatever the numbers", () => {
    for (const replicas of [1, 2, 3, 7, 10]) {
      for (const [maxSurge, maxUnavailable] of [
        ["25%", "25%"],
        [0, 1],
        [1, 0],
        [0, 0],
        ["100%", 0],
        [3, 2],
      ]) {
        const of = deployment({
          replicas,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
        });
        const noted = { desired: replicas, max: 99 };
        let [old, young] = [replicas, 0];
        const surge =
          maxSurge === "25%" ? Math.ceil(replicas / 4) : maxSurge === "100%" ? replicas : Number(maxSurge);
        const unavailable = Math.max(
          maxUnavailable === "25%" ? Math.floor(replicas / 4) : Number(maxUnavailable),
          surge === 0 ? 1 : 0,
        );
        for (let step = 0; step < 100 && (old > 0 || young < replicas); step += 1) {
          const next = sizes(of, [replicaSet("a", old, old, noted), replicaSet("b", young, young, noted)]);
          expect(Object.keys(next), `${replicas} ${maxSurge} ${maxUnavailable}`).not.toEqual([]);
          [old, young] = [next["web-a"] ?? old, next["web-b"] ?? young];
          expect(old + young).toBeLessThanOrEqual(replicas + surge);
          expect(old + young).toBeGreaterThanOrEqual(replicas - unavailable);
        }
        expect([old, young]).toEqual([0, replicas]);
      }
    }
  });
});

describe("Recreate", () => {
  const of = deployment({ strategy: { type: "Recreate" } });
  const old = replicaSet("a", 0);

  test("ends all old pods first", () => {
    expect(sizes(of, [replicaSet("a", 4)])).toEqual({ "web-a": 0 });
  });

  test("waits for the last of them", () => {
    const pods = [podOfOwner(old, "a-1", { deletionTimestamp: ago(0) })];
    expect(sizes(of, [old], { pods })).toEqual({});
  });

  test("then makes the new ones at once", () => {
    expect(sizes(of, [old], { pods: [podOfOwner(old, "a-1", { phase: "Failed" })] })).toEqual({ new: 4 });
  });
});

describe("scaling", () => {
  test("of the only set that has pods", () => {
    expect(sizes(deployment({ replicas: 6 }), [replicaSet("a", 0), replicaSet("b", 4)])).toEqual({
      "web-b": 6,
    });
  });

  test("in the middle of a rollout, each set gets its part", () => {
    const sets = [replicaSet("a", 4), replicaSet("b", 1, 0)];
    expect(sizes(deployment({ replicas: 8 }), sets)).toEqual({ "web-a": 8, "web-b": 2 });
    expect(sizes(deployment({ replicas: 0 }), sets)).toEqual({ "web-a": 0, "web-b": 0 });
  });

  test("while it is paused", () => {
    const paused = deployment({ replicas: 6, paused: true });
    expect(sizes(paused, [replicaSet("a", 4)])).toEqual({ "web-a": 6 });
    expect(statusIn(plan(paused, [replicaSet("a", 4)]))).toMatchObject({
      conditions: [
        { type: "Available" },
        { type: "Progressing", status: "Unknown", reason: "DeploymentPaused" },
      ],
    });
  });
});

describe("revisions", () => {
  const revision = "deployment.kubernetes.io/revision";

  test("a new set has the next one, and the Deployment the same", () => {
    const steps = plan(deployment(), [replicaSet("a", 4, 4, { revision: 3 })]).actions;
    expect(steps[0]).toMatchObject({
      do: "create",
      object: { metadata: { annotations: { [revision]: "4" } } },
    });
    expect(steps[1]).toMatchObject({
      do: "patch",
      resource: "deployments.apps",
      patch: { metadata: { annotations: { [revision]: "4" } } },
    });
  });

  test("a set that is rolled back to gets the newest, and keeps those it had", () => {
    const [patch] = plan(deployment(), [
      replicaSet("a", 4, 4, { revision: 3 }),
      replicaSet("b", 0, 0, { revision: 2 }),
    ]).actions;
    expect(patch).toMatchObject({
      name: "web-b",
      patch: {
        metadata: { annotations: { [revision]: "4", "deployment.kubernetes.io/revision-history": "2" } },
      },
    });
  });

  test("the oldest sets go when the rollout is complete", () => {
    const old = ["a", "c", "d"].map((image, index) => replicaSet(image, 0, 0, { revision: index + 1 }));
    const current = deployment({}, {}, { annotations: { [revision]: "9" } });
    expect(stepsOf(plan(current, [...old, replicaSet("b", 4)]))).toEqual(["delete replicasets.apps web-a"]);
    expect(stepsOf(plan(current, [...old, replicaSet("b", 4, 3)]))).toEqual([]);
  });

  test("a name that somebody else has is gone round", () => {
    const { actions } = plan(deployment(), [], { isTaken: (name: string) => name === first });
    const [create] = actions;
    expect(create?.do === "create" && create.object.metadata.name).not.toBe(first);
    expect(actions.find((action) => action.do === "status")).toMatchObject({ status: { collisionCount: 1 } });
  });
  const [firstCreate] = plan(deployment(), []).actions;
  const first = firstCreate?.do === "create" ? firstCreate.object.metadata.name : undefined;
});

describe("conditions", () => {
  const condition = (type: string, status: string, reason: string, since = 0) => ({
    type,
    status,
    reason,
    lastUpdateTime: ago(since),
    lastTransitionTime: ago(since),
  });
  const progress = (of: StoredDeployment, sets: StoredReplicaSet[]) => {
    const { conditions } = statusIn(plan(of, sets)) as { conditions: { type: string }[] };
    return conditions.find(({ type }) => type === "Progressing");
  };

  test.each<[string, StoredReplicaSet[], object, string]>([
    ["a set is made", [], {}, "NewReplicaSetCreated"],
    [
      "a pod has come",
      [replicaSet("b", 4, 1)],
      { updatedReplicas: 4, replicas: 4, readyReplicas: 0 },
      "ReplicaSetUpdated",
    ],
    ["all are available", [replicaSet("b", 4)], { replicas: 4 }, "NewReplicaSetAvailable"],
    ["a set was there", [replicaSet("b", 4, 0)], { updatedReplicas: 4, replicas: 4 }, "FoundNewReplicaSet"],
  ])("Progressing: %s", (_, sets, before, reason) => {
    expect(progress(deployment({}, before), sets)).toMatchObject({ status: "True", reason });
  });

  test("Progressing is False once nothing has moved for as long as the deadline", () => {
    const stuck = (since: number) =>
      deployment(
        {},
        {
          updatedReplicas: 4,
          replicas: 4,
          readyReplicas: 3,
          availableReplicas: 3,
          conditions: [condition("Progressing", "True", "ReplicaSetUpdated", since)],
        },
      );
    const sets = [replicaSet("b", 4, 3)];
    expect(progress(stuck(599), sets)).toMatchObject({ status: "True", reason: "ReplicaSetUpdated" });
    expect(plan(stuck(599), sets).wakeAt).toBe(now + 1_000);
    expect(progress(stuck(600), sets)).toMatchObject({ status: "False", reason: "ProgressDeadlineExceeded" });
    // It may still come right.
    expect(progress(stuck(600), [replicaSet("b", 4)])).toMatchObject({ reason: "NewReplicaSetAvailable" });
  });

  test("Available needs all but maxUnavailable", () => {
    const available = (count: number) => statusIn(plan(deployment(), [replicaSet("b", 4, count)]));
    expect(available(3)).toMatchObject({
      unavailableReplicas: 1,
      conditions: [{ type: "Available", status: "True" }, {}],
    });
    expect(available(2)).toMatchObject({
      conditions: [{ type: "Available", status: "False", reason: "MinimumReplicasUnavailable" }, {}],
    });
  });

  test("ReplicaFailure is that of the set", () => {
    const failing = replicaSet("b", 4, 0);
    const conditions = [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "quota" }];
    const set = { ...failing, status: { ...failing.status, replicas: 0, conditions } } as never;
    expect(statusIn(plan(deployment(), [set]))).toMatchObject({
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: "ReplicaFailure", message: "quota" }),
      ]),
    });
  });
});
