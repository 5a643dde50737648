import { describe, expect, test } from "vitest";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import { ago, now, podOfOwner, statusIn, stepsOf, storedObject } from "../fake-objects.ts";
import { revisionName, type StoredRevision } from "../revisions.ts";
import { planStatefulSet } from "./plan.ts";
import type { StoredStatefulSet } from "./stateful-set.ts";

const template = (image: string) => ({
  metadata: { labels: { app: "db" } },
  spec: { containers: [{ name: "main", image }] },
});

function statefulSet(spec: object = {}, status: object = {}): StoredStatefulSet {
  return storedObject(
    "apps/v1",
    "StatefulSet",
    "db",
    {
      replicas: 3,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: template("b"),
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      ...spec,
    },
    {},
    status,
  );
}

const newName = revisionName(statefulSet() as never);
const oldName = revisionName(statefulSet({ template: template("a") }) as never);

function revision(name: string, image: string, number: number): StoredRevision {
  const data = { spec: { template: { ...template(image), $patch: "replace" } } };
  const made = storedObject<KubernetesObject>("apps/v1", "ControllerRevision", name, undefined);
  return { ...made, data, revision: number } as unknown as StoredRevision;
}
const revisions = [revision(oldName, "a", 1), revision(newName, "b", 2)];

/** The pod with that number: ready for a minute, of the newest revision, unless said otherwise. */
function member(
  ordinal: number,
  { old = false, ...state }: Parameters<typeof podOfOwner>[2] & { old?: boolean } = {},
): StoredPod {
  const labels = { app: "db", "controller-revision-hash": old ? oldName : newName };
  return podOfOwner(statefulSet(), `db-${ordinal}`, { readyFor: 60, labels, ...state });
}
/** One that is not ready. */
function slow(ordinal: number, state: Parameters<typeof member>[1] = {}): StoredPod {
  const pod = member(ordinal, state);
  return { ...pod, status: { ...pod.status, conditions: [] } } as StoredPod;
}

const plan = (set: StoredStatefulSet, pods: StoredPod[], claims: KubernetesObject[] = []) =>
  planStatefulSet({ set, pods, revisions, claims, now });

const parallel = { podManagementPolicy: "Parallel" };
const onDelete = { updateStrategy: { type: "OnDelete" } };
const partition = (number: number) => ({
  updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: number } },
});
const old = (ordinal: number) => member(ordinal, { old: true });
const ending = { deletionTimestamp: ago(0) };

describe("pods", () => {
  test.each<[string, object, StoredPod[], string[]]>([
    ["the first is made", {}, [], ["create pods db-0"]],
    ["the next waits until it is ready", {}, [slow(0)], []],
    ["then comes the next", {}, [member(0)], ["create pods db-1"]],
    ["one that is missing comes before later ones", {}, [member(0), member(2)], ["create pods db-1"]],
    ["one that ends is waited for", {}, [member(0), member(1, ending), member(2)], []],
    ["Parallel: all at once", parallel, [slow(0)], ["create pods db-1", "create pods db-2"]],
    ["numbers can begin elsewhere", { ordinals: { start: 5 }, replicas: 1 }, [], ["create pods db-5"]],
    ["the last goes first", { replicas: 1 }, [member(0), member(1), member(2)], ["delete pods db-2"]],
    ["and the next waits until it is gone", { replicas: 1 }, [member(0), member(1), member(2, ending)], []],
    [
      "Parallel: all go at once",
      { ...parallel, replicas: 1 },
      [member(0), member(1), member(2)],
      ["delete pods db-2", "delete pods db-1"],
    ],
    ["nothing goes while one that stays is not ready", { replicas: 1 }, [slow(0), member(1)], []],
    [
      "a failed one goes after a while",
      {},
      [member(0, { phase: "Failed" })],
      ["event RecreatingFailedPod: StatefulSet default/db is recreating failed Pod db-0", "delete pods db-0"],
    ],
    ["and not before", {}, [member(0, { phase: "Failed", creationTimestamp: ago(9) })], []],
    ["an update begins with the last", {}, [old(0), old(1), old(2)], ["delete pods db-2"]],
    ["and goes on when that is ready", {}, [old(0), old(1), member(2)], ["delete pods db-1"]],
    ["not before", parallel, [old(0), old(1), slow(2)], []],
    ["a partition is left alone", partition(2), [old(0), old(1), member(2)], []],
    ["OnDelete leaves it to others", onDelete, [old(0), old(1), old(2)], []],
  ])("%s", (_, spec, pods, steps) => {
    expect(stepsOf(plan(statefulSet(spec, { currentRevision: oldName }), pods))).toEqual(steps);
  });

  test("one below the partition comes back as it was", () => {
    const [create] = plan(statefulSet(partition(1), { currentRevision: oldName }), []).actions;
    expect(create).toMatchObject({
      object: {
        metadata: { labels: { "controller-revision-hash": oldName } },
        spec: { containers: [{ image: "a" }] },
      },
    });
  });

  test("have a name, a host name and claims of their own; a claim that is there stays", () => {
    const volumeClaimTemplates = ["data", "log"].map((name) => ({ metadata: { name }, spec: {} }));
    const there = storedObject<KubernetesObject>("v1", "PersistentVolumeClaim", "log-db-0", {});
    const { actions } = plan(statefulSet({ volumeClaimTemplates }), [], [there]);
    expect(actions.slice(0, 2)).toMatchObject([
      {
        resource: "persistentvolumeclaims",
        object: { metadata: { name: "data-db-0", labels: { app: "db" } } },
      },
      {
        resource: "pods",
        object: {
          metadata: { name: "db-0", labels: { "apps.kubernetes.io/pod-index": "0" } },
          spec: {
            hostname: "db-0",
            subdomain: "db",
            volumes: [
              { name: "data", persistentVolumeClaim: { claimName: "data-db-0" } },
              { name: "log", persistentVolumeClaim: { claimName: "log-db-0" } },
            ],
          },
        },
      },
    ]);
  });

  test("claims of pods that scaling has ended are deleted where that is asked for", () => {
    const claims = ["data-db-0", "data-db-1", "data-db-2", "other"].map((name) =>
      storedObject<KubernetesObject>("v1", "PersistentVolumeClaim", name, {}),
    );
    const policy = { persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete" } };
    const spec = { replicas: 1, volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }], ...policy };
    expect(stepsOf(plan(statefulSet(spec), [member(0), member(1, ending)], claims))).toEqual([
      "delete persistentvolumeclaims data-db-2",
    ]);
  });
});

describe("revisions", () => {
  test("a new template gets the next number, an old one comes back with it", () => {
    const set = statefulSet({ template: template("c") }, { currentRevision: newName });
    expect(stepsOf(plan(set, [member(0), member(1), member(2)]))[0]).toBe(
      `create controllerrevisions.apps ${revisionName(set as never)}`,
    );
    const back = statefulSet({ template: template("a") }, { currentRevision: newName });
    expect(stepsOf(plan(back, [member(0), member(1), member(2)]))).toEqual([
      `patch controllerrevisions.apps ${oldName} {"revision":3}`,
      "delete pods db-2",
    ]);
  });

  test("the current one is the new one once every pod is of it", () => {
    const status = (pods: StoredPod[]) => statusIn(plan(statefulSet({}, { currentRevision: oldName }), pods));
    expect(status([member(0), member(1), old(2)])).toMatchObject({
      currentRevision: oldName,
      updateRevision: newName,
      currentReplicas: 1,
      updatedReplicas: 2,
    });
    expect(status([member(0), member(1), member(2)])).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      currentRevision: newName,
      currentReplicas: 3,
    });
  });
});
