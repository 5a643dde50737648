import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leftovers } from "../helpers/leftovers.ts";
import { eventually, runCommand, type TestNode, testNode } from "../helpers/peapod.ts";

// The main verbs as a person runs them, through bin/peapod, with what they print word for word.

const launcher = join(import.meta.dirname, "../../bin/peapod");

const script = "trap 'echo bye; exit 0' TERM; echo one; echo two; echo three; while :; do sleep 0.1; done";

const quietScript = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

/** A pod on this machine's own files, so that no registry is needed. */
function manifest(name: string, spec: object = {}, container: object = {}): string {
  return `${JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name.slice(0, 63) } },
    spec: {
      terminationGracePeriodSeconds: 5,
      containers: [
        { name: "main", image: "peapod.dev/host", command: ["sh", "-c", script], ...container },
        { name: "side", image: "peapod.dev/host", command: ["sh", "-c", quietScript] },
      ],
      ...spec,
    },
  })}\n`;
}

function job(name: string, command: string): string {
  const containers = [{ name: "main", image: "peapod.dev/host", command: ["sh", "-c", command] }];
  return manifest(name, { restartPolicy: "Never", containers });
}

/** Ages, addresses and the like as words, so that the rest can be compared exactly. */
function steady(text: string): string {
  return text
    .replace(/\b(\d+[dhms])+( +|$)/gm, (_all, _age, gap) => (gap === "" ? "AGE" : "AGE   "))
    .replace(/\b10\.\d+\.\d+\.\d+\b/g, "ADDRESS");
}

let node: TestNode;
beforeAll(async () => {
  node = await testNode();
  await node.ok(["up", "-d", "-f", "-"], { input: manifest("web") });
  await eventually(async () => {
    return (await node.ok(["logs", "web", "-c", "main"])).includes("three") ? true : undefined;
  }, "web to have written");
});
afterAll(() => node?.close());

describe("up", () => {
  test("unchanged, changed, replaced, removed", async () => {
    const up = async (text: string, ...flags: string[]) => {
      const { stdout, stderr, exitCode } = await node.peapod(["up", "-d", "-f", "-", ...flags], {
        input: text,
      });
      return { stdout, exitCode, replacing: stderr.split("\n").filter((line) => line.includes("replacing")) };
    };
    expect(await up(manifest("a"))).toEqual({
      stdout: "pod/a created\npod/a ready\n",
      exitCode: 0,
      replacing: [],
    });
    expect(await up(manifest("a"))).toMatchObject({
      stdout: "pod/a unchanged\npod/a ready\n",
      replacing: [],
    });
    const changed = manifest("a", {}, { env: [{ name: "X", value: "1" }] });
    expect(await up(changed)).toMatchObject({
      stdout: "pod/a replaced\npod/a ready\n",
      replacing: ["pod/a changed: replacing it"],
    });
    expect((await up(changed, "--replace")).replacing).toEqual(["pod/a: replacing it"]);
    expect(await node.ok(["down", "-f", "-"], { input: manifest("a") })).toBe('pod "a" deleted\n');
    expect(await node.peapod(["down", "-f", "-"], { input: manifest("a") })).toEqual({
      stdout: "",
      stderr: "no pods to remove\n",
      exitCode: 0,
    });
  });

  test("from a folder, its manifests in order of their names; its folders only with -R", async () => {
    const folder = join(node.stateDir, "..", "manifests");
    mkdirSync(join(folder, "below"), { recursive: true });
    writeFileSync(join(folder, "1.yaml"), `${job("f1", "true")}---\n${job("f2", "true")}`);
    writeFileSync(join(folder, "notes.txt"), "no manifest");
    writeFileSync(join(folder, "below", "2.json"), job("f3", "true"));
    const named = (text: string) => text.split("\n").filter((line) => /created|unchanged/.test(line));
    expect(named(await node.ok(["up", "-d", "-f", folder]))).toEqual(["pod/f1 created", "pod/f2 created"]);
    expect(named(await node.ok(["up", "-d", "-R", "-f", folder]))).toEqual([
      "pod/f1 unchanged",
      "pod/f2 unchanged",
      "pod/f3 created",
    ]);
    await node.ok(["down", "-R", "-f", folder]);
  });

  test("attached: the log, then why a pod failed; exit code 1", async () => {
    const input = job("bad", "echo before; until test -e /tmp/go; do sleep 0.1; done; exit 3");
    const attached = node.peapod(["up", "-f", "-"], { input });
    const ready = async () =>
      / 1\/1 +Running /.test((await node.peapod(["get", "pod", "bad", "--no-headers"])).stdout) || undefined;
    await eventually(ready, "bad to be ready");
    // The container may end before this does, and takes it along: its own exit code says nothing.
    await node.peapod(["exec", "bad", "-c", "main", "--", "touch", "/tmp/go"]);
    const { stdout, stderr, exitCode } = await attached;
    expect(stdout).toBe("pod/bad created\npod/bad ready\n[bad main] before\n");
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      "error: pod/bad failed: container main: Error: exit code 3",
    );
    expect(exitCode).toBe(1);
    await node.ok(["delete", "pod", "bad"]);
  });

  test("attached: Ctrl-C stops the pod, prints its last words and ends with 130", async () => {
    const file = join(node.stateDir, "..", "ctrl-c.json");
    writeFileSync(file, manifest("attached"));
    const child = spawn(launcher, [
      ...["--state-dir", node.stateDir, "--run-dir", node.runDir, "--no-color"],
      ...["up", "-f", file],
    ]);
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
      if (String(chunk).includes("three")) child.kill("SIGINT");
    });
    const [code] = await once(child, "close");
    expect(code).toBe(130);
    expect(out.split("\n")).toContain("[attached main] bye");
    expect(out.trimEnd().split("\n").slice(0, 2)).toEqual(["pod/attached created", "pod/attached ready"]);
    expect(out).toContain('pod "attached" deleted\n');
    expect((await node.peapod(["get", "pod", "attached"])).exitCode).toBe(1);
  });
});

test("get: table, wide, name, selectors, without headings", async () => {
  expect(steady(await node.ok(["get", "pods"]))).toBe(
    "NAME   READY   STATUS    RESTARTS   AGE\nweb    2/2     Running   0          AGE\n",
  );
  expect(steady(await node.ok(["get", "pods", "-A", "--no-headers", "--show-labels"]))).toBe(
    "default   web   2/2   Running   0     AGE   app=web\n",
  );
  expect((await node.ok(["get", "pods", "-o", "wide"])).split("\n")[0]).toMatch(
    /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES$/,
  );
  expect(await node.ok(["get", "pods", "-l", "app in (web)", "-o", "name"])).toBe("pod/web\n");
  expect(await node.ok(["get", "pods", "--field-selector=status.phase=Running", "-o", "name"])).toBe(
    "pod/web\n",
  );
  expect(await node.peapod(["get", "pods", "-l", "app=x"])).toEqual({
    stdout: "",
    stderr: "No resources found in default namespace.\n",
    exitCode: 0,
  });
  const json = JSON.parse(await node.ok(["get", "pod", "web", "-o", "json"]));
  expect(json).toMatchObject({ kind: "Pod", metadata: { name: "web" }, status: { phase: "Running" } });
  expect(json.metadata.managedFields).toBeUndefined();
  expect(await node.ok(["get", "pod", "web", "-o", "yaml"])).toMatch(
    /^apiVersion: v1\nkind: Pod\nmetadata:\n/,
  );
});

test("get: types by any name that the node's API has, several at once, all", async () => {
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
  };
  const created = await runCommand("curl", [
    ...["--silent", "--unix-socket", `${node.runDir}/api.sock`, "-H", "Content-Type: application/json"],
    ...["-d", JSON.stringify(claim), "http://peapod/api/v1/namespaces/default/persistentvolumeclaims"],
  ]);
  expect(JSON.parse(created.stdout)).toMatchObject({ kind: "PersistentVolumeClaim" });
  expect(await node.ok(["get", "pvc", "-o", "name"])).toBe("persistentvolumeclaim/data\n");
  expect(await node.ok(["get", "pods,persistentvolumeclaims", "-o", "name"])).toBe(
    "pod/web\npersistentvolumeclaim/data\n",
  );
  const tables = await node.ok(["get", "pod/web", "pvc/data"]);
  expect(tables).toMatch(
    /^NAME +READY [\s\S]*\npod\/web +2\/2 [\s\S]*\n\nNAME +STATUS [\s\S]*\npersistentvolumeclaim\/data /,
  );
  expect(await node.ok(["get", "all", "--no-headers"])).toMatch(/^pod\/web +2\/2 .*\n/);
  const list = JSON.parse(await node.ok(["get", "po,pvc", "-o", "json"]));
  expect(list.items.map(({ kind }: { kind: string }) => kind)).toEqual(["Pod", "PersistentVolumeClaim"]);
  expect(await node.ok(["delete", "pvc", "data"])).toBe('persistentvolumeclaim "data" deleted\n');
  expect((await node.peapod(["get", "depoyments"])).stderr).toContain(
    'the server doesn\'t have a resource type "depoyments"; did you mean "deployments"?',
  );
});

test("what is not there", async () => {
  const gone = 'Error from server (NotFound): pods "nope" not found\n';
  for (const args of [["get", "pod"], ["logs"], ["delete", "pod"], ["describe", "pod"]]) {
    expect(await node.peapod([...args, "nope"])).toEqual({ stdout: "", stderr: gone, exitCode: 1 });
  }
  expect(await node.peapod(["exec", "nope", "--", "true"])).toMatchObject({ stderr: gone, exitCode: 1 });
  expect(await node.ok(["delete", "pod", "nope", "--ignore-not-found"])).toBe("");
});

test("logs", async () => {
  expect(await node.peapod(["logs", "web"])).toEqual({
    stdout: "one\ntwo\nthree\n",
    stderr: 'Defaulted container "main" out of: main, side\n',
    exitCode: 0,
  });
  const logs = (...args: string[]) => node.ok(["logs", "web", "-c", "main", ...args]);
  expect(await logs("--tail=1")).toBe("three\n");
  expect(await logs("--limit-bytes=5")).toBe("one\nt");
  expect(await logs("--since-time=2100-01-01T00:00:00Z")).toBe("");
  expect(await logs("--timestamps", "--tail=1")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z three\n$/);
  expect(await node.ok(["logs", "web", "--all-containers", "--prefix", "--tail=1"])).toBe(
    "[pod/web/main] three\n",
  );
  expect(await node.peapod(["logs", "web", "-c", "nope"])).toMatchObject({
    stderr: "error: container nope is not valid for pod web out of: main, side\n",
    exitCode: 1,
  });
  expect(await node.peapod(["logs", "web", "-c", "main", "--previous"])).toMatchObject({
    stderr: 'Error from server (BadRequest): previous terminated container "main" in pod "web" not found\n',
    exitCode: 1,
  });
});

test("exec: output, input, exit codes", async () => {
  const exec = (command: string[], input = "") =>
    node.peapod(["exec", "-i", "web", "-c", "main", "--", ...command], { input });
  expect(await exec(["cat"], "in\n")).toEqual({ stdout: "in\n", stderr: "", exitCode: 0 });
  expect(await exec(["sh", "-c", "echo out; echo err >&2; exit 42"])).toEqual({
    stdout: "out\n",
    stderr: "err\ncommand terminated with exit code 42\n",
    exitCode: 42,
  });
  expect((await exec(["no-such-command"])).exitCode).toBe(127);
  const large = "x".repeat(1_000_000);
  expect((await exec(["cat"], large)).stdout === large).toBe(true);
});

test("describe: events in the order in which they happened", async () => {
  const text = await node.ok(["describe", "pod", "web"]);
  expect(text).toMatch(/^Name: +web\nNamespace: +default\n/);
  const events = text
    .slice(text.indexOf("Events:"))
    .split("\n")
    .filter((line) => /container side$/.test(line));
  expect(events.map((line) => line.trim().split(/\s+/)[1])).toEqual(["Created", "Started"]);
});

test("a pod with the longest name and in the host's namespaces", async () => {
  const name = "n".repeat(253);
  const hostNamespaces = { hostNetwork: true, hostPID: true, hostIPC: true };
  expect(await node.ok(["up", "-d", "-f", "-"], { input: manifest(name, hostNamespaces) })).toBe(
    `pod/${name} created\npod/${name} ready\n`,
  );
  await eventually(async () => {
    return (await node.ok(["logs", name, "-c", "main"])) === "one\ntwo\nthree\n" ? true : undefined;
  }, "the pod to have written");
  expect(await node.ok(["delete", "pod", name, "--now"])).toBe(`pod "${name}" deleted\n`);
});

test("a pod over its volume's limit is evicted within a second of being found out", async () => {
  const volumes = [{ name: "v", emptyDir: { sizeLimit: "1Mi" } }];
  const fill = "until test -e /v/go; do sleep 0.1; done; head -c 3000000 /dev/zero > /v/x";
  const command = ["sh", "-c", `${fill}; while :; do sleep 1; done`];
  const volumeMounts = [{ name: "v", mountPath: "/v" }];
  const input = manifest("full", { volumes, terminationGracePeriodSeconds: 60 }, { command, volumeMounts });
  await node.ok(["up", "-d", "-f", "-"], { input });
  await node.ok(["exec", "full", "-c", "main", "--", "touch", "/v/go"]);
  const pod = await eventually(async () => {
    const found = JSON.parse(await node.ok(["get", "pod", "full", "-o", "json"]));
    return found.status.containerStatuses.every(({ state }: { state: object }) => "terminated" in state)
      ? found
      : undefined;
  }, "full to be evicted");
  expect(pod.status).toMatchObject({ phase: "Failed", reason: "Evicted" });
  expect(pod.status.message).toContain('Usage of EmptyDir volume "v" exceeds the limit "1Mi".');
  await node.ok(["delete", "pod", "full"]);
});

test("after kill -9 of the daemon, node start, down --all and node stop nothing is left", async () => {
  const input = [1, 2, 3].map((number) => manifest(`p${number}`)).join("---\n");
  await node.ok(["up", "-d", "-f", "-"], { input });
  await node.killDaemon();
  await node.ok(["node", "start"]);
  expect((await node.ok(["get", "pods", "--no-headers"])).match(/ 2\/2 +Running +0 /g)).toHaveLength(4);
  const instance = await node.ok(["node", "status", "-o", "json"]);
  expect(JSON.parse(instance).pods).toBe(4);
  const deleted = await node.ok(["down", "--all", "--grace-period=0"]);
  expect(deleted.trimEnd().split("\n").toSorted()).toEqual([
    'pod "p1" deleted',
    'pod "p2" deleted',
    'pod "p3" deleted',
    'pod "web" deleted',
  ]);
  await node.ok(["node", "stop"]);
  const { layoutFor } = await import("../../src/host/layout.ts");
  expect(await leftovers(node, layoutFor(node.stateDir, node.runDir).instance)).toEqual([]);
});
