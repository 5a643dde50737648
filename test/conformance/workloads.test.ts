import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

// What makes pods, driven by kubectl as on a cluster. Names of behaviours: Kubernetes' conformance suite, sig-apps.

let node: TestNode;
let kubectl: Client;
beforeAll(async () => {
  node = await testNode();
  ({ kubectl } = await clientsOf(node));
});
afterAll(() => node?.close());

const forever = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

function container(script: string, more: object = {}): object {
  return { name: "main", image: "peapod.dev/host", command: ["sh", "-c", script], ...more };
}

function template(app: string, script: string, spec: object = {}, more: object = {}): object {
  const containers = [container(script, more)];
  return {
    metadata: { labels: { app } },
    spec: { terminationGracePeriodSeconds: 1, containers, ...spec },
  };
}

/** An object of apps/v1 that keeps pods of one container. */
function workload(kind: string, name: string, spec: object = {}, script = forever): object {
  const selector = { matchLabels: { app: name } };
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name },
    spec: { selector, template: template(name, script), ...spec },
  };
}

function job(name: string, script: string, spec: object = {}): object {
  const pod = template(name, script, { restartPolicy: "Never" });
  return { apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec: { template: pod, ...spec } };
}

async function apply(...objects: object[]): Promise<string> {
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  return kubectl.ok(["apply", "-f", "-"], { input });
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the API says
async function get(...args: string[]): Promise<any> {
  return JSON.parse(await kubectl.ok(["get", ...args, "-o", "json"]));
}

interface PodJSON {
  metadata: { name: string; uid: string; labels: Record<string, string>; deletionTimestamp?: string };
  status: { phase: string };
}

/** The pods of that label that are not on their way out, by name. */
async function podsOf(app: string): Promise<PodJSON[]> {
  const { items } = (await get("pods", "-l", `app=${app}`)) as { items: PodJSON[] };
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

async function namesOf(app: string): Promise<string[]> {
  return (await podsOf(app)).map(({ metadata }) => metadata.name).sort();
}

function rolledOut(what: string): Promise<string> {
  return kubectl.ok(["rollout", "status", what, "--timeout=60s"]);
}

async function until(what: string, condition: string): Promise<void> {
  await kubectl.ok(["wait", what, `--for=${condition}`, "--timeout=60s"]);
}

async function gone(what: string, ...args: string[]): Promise<void> {
  await eventually(
    async () => ((await kubectl.ok(["get", what, ...args, "-o", "name"])) === "" ? true : undefined),
    `${what} ${args.join(" ")} gone`,
    60_000,
  );
}

async function reasonsOf(kind: string, name: string): Promise<string[]> {
  const selector = `involvedObject.kind=${kind},involvedObject.name=${name}`;
  const { items } = (await get("events", "--field-selector", selector)) as {
    items: { reason: string; source: { component: string } }[];
  };
  return [...new Set(items.map(({ reason, source }) => `${source.component} ${reason}`))].sort();
}

describe("ReplicaSet", () => {
  test("keeps as many pods as it is told, adopts one that it selects, and replaces one that is deleted", async () => {
    const lone = { apiVersion: "v1", kind: "Pod", metadata: { name: "lone", labels: { app: "rs" } } };
    await apply({ ...lone, spec: { terminationGracePeriodSeconds: 1, containers: [container(forever)] } });
    await apply(workload("ReplicaSet", "rs", { replicas: 2 }));
    await until("rs/rs", "jsonpath={.status.readyReplicas}=2");
    const before = await namesOf("rs");
    expect(before).toContain("lone");
    expect((await get("pod", "lone")).metadata.ownerReferences).toMatchObject([
      { name: "rs", controller: true },
    ]);

    await kubectl.ok(["delete", "pod", "lone"]);
    await until("rs/rs", "jsonpath={.status.readyReplicas}=2");
    const after = await namesOf("rs");
    expect(after).toHaveLength(2);
    expect(after).not.toContain("lone");

    const [first = ""] = after;
    await kubectl.ok(["label", "pod", first, "app=free", "--overwrite"]);
    await until("rs/rs", "jsonpath={.status.readyReplicas}=2");
    expect((await get("pod", first)).metadata.ownerReferences).toBeUndefined();
    expect(await namesOf("rs")).not.toContain(first);
    await kubectl.ok(["delete", "rs/rs", `pod/${first}`]);
  });

  test("says why its pods cannot be made", async () => {
    // No node has such a device, and this one says so at once.
    const device = { resources: { limits: { "example.com/device": "1" } } };
    await apply(
      workload("ReplicaSet", "bad", { replicas: 1, template: template("bad", forever, {}, device) }),
    );
    await until("rs/bad", "condition=ReplicaFailure");
    expect(await reasonsOf("ReplicaSet", "bad")).toEqual(["replicaset-controller FailedCreate"]);
    await kubectl.ok(["delete", "rs/bad"]);
  });
});

describe("Deployment", () => {
  test("rolls out, back and on again, with its history", async () => {
    await apply(workload("Deployment", "web", { replicas: 3 }));
    expect(await rolledOut("deployment/web")).toContain('deployment "web" successfully rolled out');
    const first = await namesOf("web");
    expect(first).toHaveLength(3);

    await kubectl.ok(["set", "env", "deployment/web", "VERSION=2"]);
    await rolledOut("deployment/web");
    await eventually(async () => ((await namesOf("web")).length === 3 ? true : undefined), "three pods");
    expect((await namesOf("web")).filter((name) => first.includes(name))).toEqual([]);
    expect(await kubectl.ok(["rollout", "history", "deployment/web"])).toMatch(/^1 .*\n2 /m);

    await kubectl.ok(["rollout", "undo", "deployment/web"]);
    await rolledOut("deployment/web");
    expect((await get("deployment", "web")).spec.template.spec.containers[0].env).toBeUndefined();
    expect(await kubectl.ok(["rollout", "history", "deployment/web"])).toMatch(/^2 .*\n3 /m);
    expect((await get("rs", "-l", "app=web")).items).toHaveLength(2);

    await kubectl.ok(["rollout", "restart", "deployment/web"]);
    await rolledOut("deployment/web");
    const { status } = await get("deployment", "web");
    expect(status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 });
    expect(
      status.conditions.map(({ type, reason }: Record<string, string>) => `${type} ${reason}`).sort(),
    ).toEqual(["Available MinimumReplicasAvailable", "Progressing NewReplicaSetAvailable"]);
    expect(await reasonsOf("Deployment", "web")).toEqual(["deployment-controller ScalingReplicaSet"]);
  });

  test("is scaled, also by its own subresource, and paused and resumed", async () => {
    await kubectl.ok(["scale", "deployment/web", "--replicas=1"]);
    await until("deployment/web", "jsonpath={.status.replicas}=1");
    await kubectl.ok(["rollout", "pause", "deployment/web"]);
    await kubectl.ok(["set", "env", "deployment/web", "VERSION=3"]);
    await until("deployment/web", "condition=Progressing=Unknown");
    const [before] = await podsOf("web");
    await kubectl.ok(["rollout", "resume", "deployment/web"]);
    await rolledOut("deployment/web");
    const [after] = await podsOf("web");
    expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
  });

  test("a rollout that gets nowhere is said to be so, and can be undone", async () => {
    await kubectl.ok(["patch", "deployment/web", "-p", '{"spec":{"progressDeadlineSeconds":2}}']);
    await kubectl.ok(["set", "image", "deployment/web", "main=peapod.dev/nothing:here"]);
    const stuck = await kubectl.run(["rollout", "status", "deployment/web", "--timeout=60s"]);
    expect(stuck).toMatchObject({ exitCode: 1 });
    expect(stuck.stderr).toContain('deployment "web" exceeded its progress deadline');
    expect((await podsOf("web")).filter(({ status }) => status.phase === "Running")).toHaveLength(1);
    await kubectl.ok(["rollout", "undo", "deployment/web"]);
    await rolledOut("deployment/web");
  });

  test("Recreate: no old pod runs beside a new one", async () => {
    await apply(workload("Deployment", "one", { replicas: 2, strategy: { type: "Recreate" } }));
    await rolledOut("deployment/one");
    const old = await namesOf("one");
    await kubectl.ok(["set", "env", "deployment/one", "VERSION=2"]);
    await rolledOut("deployment/one");
    const young = await namesOf("one");
    expect(young.filter((name) => old.includes(name))).toEqual([]);
    const { items } = (await get("events", "--field-selector", "involvedObject.name=one")) as {
      items: { message: string; firstTimestamp: string; metadata: { resourceVersion: string } }[];
    };
    const order = items
      .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
      .map(({ message }) => message.replace(/one-\w+/, "SET"));
    expect(order).toEqual([
      "Scaled up replica set SET from 0 to 2",
      "Scaled down replica set SET from 2 to 0",
      "Scaled up replica set SET from 0 to 2",
    ]);
    await kubectl.ok(["delete", "deployment/one"]);
    await gone("rs,pods", "-l", "app=one");
  });

  test.each(["background", "foreground", "orphan"])("is deleted in the %s", async (cascade) => {
    const name = `del-${cascade}`;
    await apply(workload("Deployment", name, { replicas: 1 }));
    await rolledOut(`deployment/${name}`);
    await kubectl.ok(["delete", "deployment", name, `--cascade=${cascade}`]);
    if (cascade !== "orphan") {
      // In the foreground nothing of it is left when kubectl returns.
      if (cascade === "foreground")
        expect(await kubectl.ok(["get", "rs,pods", "-l", `app=${name}`, "-o", "name"])).toBe("");
      return gone("rs,pods", "-l", `app=${name}`);
    }
    const { items } = await get("rs", "-l", `app=${name}`);
    expect(items).toHaveLength(1);
    expect(items[0].metadata.ownerReferences ?? []).toEqual([]);
    expect(await podsOf(name)).toHaveLength(1);
    // A Deployment that comes later takes the set over, and its pod with it.
    const [pod] = await podsOf(name);
    await apply(workload("Deployment", name, { replicas: 1 }));
    await rolledOut(`deployment/${name}`);
    expect((await podsOf(name)).map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid]);
    await kubectl.ok(["delete", "deployment", name]);
  });
});

describe("StatefulSet", () => {
  const claims = [
    {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    },
  ];
  const mounted = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
  const script = `hostname >> /data/names; ${forever}`;

  test("makes its pods in order, each with a name and a volume of its own that outlive it", async () => {
    const spec = {
      replicas: 3,
      serviceName: "db",
      volumeClaimTemplates: claims,
      template: template("db", script, {}, mounted),
    };
    await apply(workload("StatefulSet", "db", spec));
    await rolledOut("statefulset/db");
    expect(await namesOf("db")).toEqual(["db-0", "db-1", "db-2"]);
    const pod = await get("pod", "db-1");
    expect(pod.metadata.labels).toMatchObject({
      "statefulset.kubernetes.io/pod-name": "db-1",
      "apps.kubernetes.io/pod-index": "1",
    });
    expect(pod.spec).toMatchObject({ hostname: "db-1", subdomain: "db" });
    const starts = await Promise.all(
      ["db-0", "db-1", "db-2"].map(async (name) => (await get("pod", name)).metadata.resourceVersion),
    );
    expect(starts).toHaveLength(3);
    const { items } = (await get(
      "events",
      "--field-selector",
      "involvedObject.name=db,reason=SuccessfulCreate",
    )) as {
      items: { message: string; metadata: { resourceVersion: string } }[];
    };
    const order = items
      .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
      .map(({ message }) => message)
      .filter((message) => message.startsWith("create Pod"));
    expect(order).toEqual([0, 1, 2].map((index) => `create Pod db-${index} in StatefulSet db successful`));

    const { metadata } = await get("pod", "db-1");
    await kubectl.ok(["delete", "pod", "db-1"]);
    await eventually(async () => {
      const { items } = await get("pods", "-l", "statefulset.kubernetes.io/pod-name=db-1");
      const [next] = items;
      return next !== undefined && next.metadata.uid !== metadata.uid && next.status.phase === "Running"
        ? true
        : undefined;
    }, "another db-1");
    await eventually(async () => {
      const names = await kubectl.ok(["exec", "db-1", "--", "cat", "/data/names"]);
      return names === "db-1\ndb-1\n" ? true : undefined;
    }, "both lines in the volume");
  });

  test("rolls out from the last pod to the first, and only above the partition", async () => {
    const revision = async () => (await get("statefulset", "db")).status.updateRevision;
    const before = await revision();
    const partition = { spec: { updateStrategy: { rollingUpdate: { partition: 2 } } } };
    await kubectl.ok(["patch", "statefulset", "db", "-p", JSON.stringify(partition)]);
    await kubectl.ok(["set", "env", "statefulset/db", "VERSION=2"]);
    await rolledOut("statefulset/db");
    const revisions = async () =>
      Object.fromEntries(
        (await podsOf("db")).map(({ metadata }) => [
          metadata.name,
          metadata.labels["controller-revision-hash"],
        ]),
      );
    const after = await revision();
    expect(await revisions()).toEqual({ "db-0": before, "db-1": before, "db-2": after });
    await kubectl.ok([
      "patch",
      "statefulset",
      "db",
      "-p",
      JSON.stringify({ spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } }),
    ]);
    await until("statefulset/db", `jsonpath={.status.currentRevision}=${after}`);
    expect(await revisions()).toEqual({ "db-0": after, "db-1": after, "db-2": after });
    await kubectl.ok(["rollout", "undo", "statefulset/db"]);
    await until("statefulset/db", `jsonpath={.status.currentRevision}=${before}`);
  });

  test("is scaled down from the last, and keeps the volumes", async () => {
    await kubectl.ok(["scale", "statefulset", "db", "--replicas=1"]);
    await until("statefulset/db", "jsonpath={.status.replicas}=1");
    expect(await namesOf("db")).toEqual(["db-0"]);
    await kubectl.ok(["delete", "statefulset", "db"]);
    await gone("pods", "-l", "app=db");
    expect((await get("pvc", "-l", "app=db")).items).toHaveLength(3);
    await kubectl.ok(["delete", "pvc", "-l", "app=db"]);
  });

  test("Parallel: does not wait for one before it makes the next", async () => {
    const never = { readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1 } };
    const spec = {
      replicas: 2,
      serviceName: "",
      podManagementPolicy: "Parallel",
      template: template("par", forever, {}, never),
    };
    await apply(workload("StatefulSet", "par", spec));
    await eventually(async () => ((await namesOf("par")).length === 2 ? true : undefined), "both pods");
    await kubectl.ok(["delete", "statefulset", "par"]);
  });
});

describe("DaemonSet", () => {
  test("has one pod on the one node, of the newest template, and history", async () => {
    await apply(workload("DaemonSet", "agent"));
    await rolledOut("daemonset/agent");
    const [old] = await podsOf("agent");
    await kubectl.ok(["set", "env", "daemonset/agent", "VERSION=2"]);
    await rolledOut("daemonset/agent");
    const pods = await podsOf("agent");
    expect(pods).toHaveLength(1);
    expect(pods[0]?.metadata.uid).not.toBe(old?.metadata.uid);
    await kubectl.ok(["rollout", "undo", "daemonset/agent"]);
    await rolledOut("daemonset/agent");
    const [back] = await podsOf("agent");
    expect(back?.metadata.labels["controller-revision-hash"]).toBe(
      old?.metadata.labels["controller-revision-hash"],
    );
  });

  test("has none where the node is not meant", async () => {
    const selector = { spec: { template: { spec: { nodeSelector: { "example.com/disk": "fast" } } } } };
    await kubectl.ok(["patch", "daemonset", "agent", "-p", JSON.stringify(selector)]);
    await until("daemonset/agent", "jsonpath={.status.desiredNumberScheduled}=0");
    await gone("pods", "-l", "app=agent");
    await kubectl.ok(["delete", "daemonset", "agent"]);
  });
});

describe("Job", () => {
  const completed = (name: string) => until(`job/${name}`, "condition=complete");

  test("runs its pods to completion", async () => {
    await apply(job("sum", "echo done", { completions: 3, parallelism: 2 }));
    await completed("sum");
    const { status } = await get("job", "sum");
    expect(status).toMatchObject({ succeeded: 3, ready: 0, terminating: 0 });
    expect(status.completionTime).toBeDefined();
    expect(await podsOf("sum")).toHaveLength(3);
    expect(await kubectl.ok(["logs", "job/sum"])).toBe("done\n");
    expect(await reasonsOf("Job", "sum")).toEqual([
      "job-controller Completed",
      "job-controller SuccessfulCreate",
    ]);
    // Deleting what has ended is no reason to run it again.
    await kubectl.ok(["delete", "pods", "-l", "app=sum"]);
    expect((await get("job", "sum")).status.succeeded).toBe(3);
    await kubectl.ok(["delete", "job", "sum"]);
  });

  test("Indexed: every pod knows its number", async () => {
    await apply(
      job("idx", "echo $JOB_COMPLETION_INDEX on $(hostname)", {
        completions: 3,
        parallelism: 3,
        completionMode: "Indexed",
      }),
    );
    await completed("idx");
    expect((await get("job", "idx")).status).toMatchObject({ succeeded: 3, completedIndexes: "0-2" });
    const logs = await kubectl.ok(["logs", "-l", "job-name=idx"]);
    expect(logs.trim().split("\n").sort()).toEqual(["0 on idx-0", "1 on idx-1", "2 on idx-2"]);
    await kubectl.ok(["delete", "job", "idx"]);
  });

  test("fails when its pods fail too often, by a rule, or too late", async () => {
    const rules = [
      { action: "FailJob", onExitCodes: { containerName: "main", operator: "In", values: [42] } },
    ];
    await apply(
      job("often", "exit 1", { backoffLimit: 0 }),
      job("rule", "exit 42", { backoffLimit: 6, podFailurePolicy: { rules } }),
      job("late", "sleep 300", { activeDeadlineSeconds: 1 }),
    );
    for (const name of ["often", "rule", "late"]) await until(`job/${name}`, "condition=failed");
    const reason = async (name: string) =>
      (await get("job", name)).status.conditions.find(({ type }: { type: string }) => type === "Failed")
        .reason;
    expect(await reason("often")).toBe("BackoffLimitExceeded");
    expect(await reason("rule")).toBe("PodFailurePolicy");
    expect(await reason("late")).toBe("DeadlineExceeded");
    await gone("pods", "-l", "app=late");
    await kubectl.ok(["delete", "job", "often", "rule", "late"]);
  });

  test("OnFailure: the container is restarted in its pod", async () => {
    const script = "test -e /tmp/run/once && exit 0; touch /tmp/run/once; exit 1";
    const volume = { volumes: [{ name: "run", emptyDir: {} }], restartPolicy: "OnFailure" };
    const pod = template("again", script, volume, { volumeMounts: [{ name: "run", mountPath: "/tmp" }] });
    const withFolder = JSON.parse(JSON.stringify(pod).replaceAll("/tmp/run/once", "/tmp/once"));
    await apply({ ...job("again", ""), spec: { template: withFolder } });
    await completed("again");
    const { items } = await get("pods", "-l", "app=again");
    expect(items).toHaveLength(1);
    expect(items[0].status.containerStatuses[0].restartCount).toBe(1);
    await kubectl.ok(["delete", "job", "again"]);
  });

  test("is suspended and resumed, and deleted some time after its end", async () => {
    await apply(job("later", "true", { suspend: true, ttlSecondsAfterFinished: 1 }));
    await until("job/later", "condition=Suspended");
    expect(await podsOf("later")).toEqual([]);
    await kubectl.ok(["patch", "job", "later", "-p", '{"spec":{"suspend":false}}']);
    await gone("jobs,pods", "-l", "app=later");
    await gone("jobs", "--field-selector", "metadata.name=later");
  });
});

describe("CronJob", () => {
  const cronJob = (name: string, schedule: string, spec: object = {}) => ({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name },
    spec: { schedule, jobTemplate: { spec: (job(name, "echo tick") as { spec: object }).spec }, ...spec },
  });

  test("a Job can be made of it by hand", async () => {
    await apply(cronJob("yearly", "0 0 1 1 *"));
    await kubectl.ok(["create", "job", "now", "--from=cronjob/yearly"]);
    await until("job/now", "condition=complete");
    await until("cronjob/yearly", "jsonpath={.status.lastSuccessfulTime}");
    expect(await reasonsOf("CronJob", "yearly")).toEqual(["cronjob-controller SawCompletedJob"]);
    await kubectl.ok(["delete", "cronjob", "yearly"]);
    await gone("jobs", "--field-selector", "metadata.name=now");
  });

  test("runs by itself when its time has come, and not while it is suspended", async () => {
    await apply(cronJob("ticker", "@every 2s", { suspend: true }));
    await kubectl.ok(["create", "job", "first", "--from=cronjob/ticker"]);
    await until("job/first", "condition=complete");
    expect((await get("cronjob", "ticker")).status.lastScheduleTime).toBeUndefined();
    await kubectl.ok(["patch", "cronjob", "ticker", "-p", '{"spec":{"suspend":false}}']);
    await until("cronjob/ticker", "jsonpath={.status.lastScheduleTime}");
    await eventually(async () => {
      const reasons = await reasonsOf("CronJob", "ticker");
      return reasons.includes("cronjob-controller SuccessfulCreate") ? true : undefined;
    }, "a Job of its own");
    await kubectl.ok(["delete", "cronjob", "ticker"]);
    await gone("pods", "-l", "app=ticker");
  });
});

test("a daemon that is killed in the middle of a rollout goes on where it was, and makes no pod twice", async () => {
  await apply(
    workload("Deployment", "sturdy", { replicas: 4 }),
    workload("StatefulSet", "sts", { replicas: 2, serviceName: "" }),
  );
  await rolledOut("deployment/sturdy");
  await rolledOut("statefulset/sts");
  await kubectl.ok(["set", "env", "deployment/sturdy", "statefulset/sts", "VERSION=2"]);
  await apply(job("half", "sleep 1", { completions: 4, parallelism: 2 }));
  for (let round = 0; round < 3; round += 1) {
    await node.killDaemon();
    await node.ok(["node", "start"]);
  }
  await rolledOut("deployment/sturdy");
  await rolledOut("statefulset/sts");
  await until("job/half", "condition=complete");
  await eventually(async () => ((await podsOf("sturdy")).length === 4 ? true : undefined), "four pods");
  expect(await namesOf("sts")).toEqual(["sts-0", "sts-1"]);
  expect(
    (await get("rs", "-l", "app=sturdy")).items
      .map((set: { spec: { replicas: number } }) => set.spec.replicas)
      .sort(),
  ).toEqual([0, 4]);
  expect((await get("job", "half")).status.succeeded).toBe(4);
  expect(await podsOf("half")).toHaveLength(4);
  await kubectl.ok(["delete", "deployment/sturdy", "statefulset/sts", "job/half"]);
});
