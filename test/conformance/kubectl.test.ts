import { spawn } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { type TestNode, testNode } from "../helpers/peapod.ts";

/** What somebody who knows kubectl 1.35 types, and the words that a cluster answers with. */

const podFile = join(import.meta.dirname, "../fixtures/kubectl/pod.yaml");
const podText = readFileSync(podFile, "utf8");

let node: TestNode;
let kubectl: Client;
let env: NodeJS.ProcessEnv;
let programs: { kubectl: string; helm: string };

beforeAll(async () => {
  node = await testNode();
  ({ kubectl, env, programs } = await clientsOf(node));
});
afterAll(() => node?.close());

/** Rows of a table without its head, cells cut at two spaces or more. */
function rows(table: string): string[][] {
  const lines = table.trimEnd().split("\n").slice(1);
  return lines.map((line) => line.trimEnd().split(/ {2,}/));
}

async function jsonpath(what: readonly string[], path: string): Promise<string> {
  return kubectl.ok(["get", ...what, "-o", `jsonpath=${path}`]);
}

describe("what there is", () => {
  test("version, cluster-info, api-versions, api-resources", async () => {
    expect(await kubectl.ok(["version"])).toMatch(/^Server Version: v1\.36\.\d+\+peapod/m);
    expect(await kubectl.ok(["cluster-info"])).toContain(
      "Kubernetes control plane is running at https://127.0.0.1:",
    );
    const versions = (await kubectl.ok(["api-versions"])).trim().split("\n");
    expect(versions).toEqual(
      expect.arrayContaining([
        "v1",
        "apps/v1",
        "batch/v1",
        "peapod.dev/v1alpha1",
        "rbac.authorization.k8s.io/v1",
      ]),
    );
    const resources = rows(await kubectl.ok(["api-resources"]));
    expect(resources).toContainEqual(["pods", "po", "v1", "true", "Pod"]);
    expect(resources).toContainEqual(["deployments", "deploy", "apps/v1", "true", "Deployment"]);
    expect(resources).toContainEqual(["persistentvolumes", "pv", "v1", "false", "PersistentVolume"]);
    expect(resources).toContainEqual(["channels", "ch", "peapod.dev/v1alpha1", "true", "Channel"]);
  });

  test("explain a field, with its type, documentation and fields", async () => {
    const text = await kubectl.ok(["explain", "pod.spec.containers.livenessProbe"]);
    expect(text).toMatch(/^KIND: {7}Pod\nVERSION: {4}v1\n\nFIELD: livenessProbe <Probe>\n/);
    expect(text).toContain("Periodic probe of container liveness. Container will be restarted if the");
    expect(text).toMatch(/^ {2}httpGet\t<HTTPGetAction>$/m);
    expect(text).toMatch(/^ {2}periodSeconds\t<integer>$/m);
    const list = await kubectl.ok(["explain", "deployment.spec.template.spec.volumes"]);
    expect(list).toMatch(
      /^GROUP: {6}apps\nKIND: {7}Deployment\nVERSION: {4}v1\n\nFIELD: volumes <\[\]Volume>/,
    );
    const unknown = await kubectl.run(["explain", "pod.spec.nothing"]);
    expect(unknown).toMatchObject({ exitCode: 1, stderr: 'error: field "nothing" does not exist\n' });
    const channel = await kubectl.ok(["explain", "channels.spec"]);
    expect(channel).toMatch(/^GROUP: +peapod\.dev$/m);
    expect(channel).toMatch(/^ +address\s+<string> -required-\n +Where its ends meet/m);
  });

  test("nodes, namespaces and what every namespace has", async () => {
    const [first] = rows(await kubectl.ok(["get", "nodes"]));
    expect(first?.slice(1, 3)).toEqual(["Ready", "<none>"]);
    expect(rows(await kubectl.ok(["get", "namespaces"])).map(([name, status]) => [name, status])).toEqual([
      ["default", "Active"],
      ["kube-system", "Active"],
    ]);
    expect(rows(await kubectl.ok(["get", "serviceaccounts"]))[0]?.slice(0, 2)).toEqual(["default", "0"]);
    const none = await kubectl.run(["get", "pods"]);
    expect(none).toMatchObject({ stdout: "", stderr: "No resources found in default namespace.\n" });
  });
});

describe("one pod", () => {
  test("apply makes it, and says when nothing changes", async () => {
    expect(await kubectl.ok(["apply", "-f", podFile])).toBe("pod/web created\n");
    expect(await kubectl.ok(["wait", "--for=condition=Ready", "pod/web", "--timeout=60s"])).toBe(
      "pod/web condition met\n",
    );
    expect(await kubectl.ok(["apply", "-f", podFile])).toBe("pod/web unchanged\n");
  });

  test("get in every form", async () => {
    const [row] = rows(await kubectl.ok(["get", "pod", "web"]));
    expect(row?.slice(0, 4)).toEqual(["web", "2/2", "Running", "0"]);
    const wide = await kubectl.ok(["get", "pods", "-o", "wide"]);
    expect(wide).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nweb /,
    );
    expect(rows(wide)[0]?.[5]).toMatch(/^10\.\d+\.\d+\.\d+$/);
    const yaml = await kubectl.ok(["get", "pod", "web", "-o", "yaml"]);
    expect(yaml).toMatch(/^apiVersion: v1\nkind: Pod\nmetadata:\n/);
    expect(yaml).toMatch(/^ {2}phase: Running$/m);
    expect(yaml).not.toContain("managedFields");
    expect(await jsonpath(["pod", "web"], "{.spec.containers[*].name}")).toBe("server helper");
    expect(
      await kubectl.ok(["get", "pods", "-o", "custom-columns=NAME:.metadata.name,PHASE:.status.phase"]),
    ).toBe("NAME   PHASE\nweb    Running\n");
    expect(await kubectl.ok(["get", "pods", "-l", "app=web", "-o", "name"])).toBe("pod/web\n");
    expect(await kubectl.ok(["get", "pods", "--field-selector=status.phase=Pending", "-o", "name"])).toBe("");
    const list = JSON.parse(await kubectl.ok(["get", "pods", "-o", "json"]));
    expect(list).toMatchObject({ kind: "List", items: [{ metadata: { name: "web" } }] });
  });

  test("describe shows containers, conditions and events", async () => {
    const text = await kubectl.ok(["describe", "pod", "web"]);
    expect(text).toMatch(/^Name: +web\nNamespace: +default\n/);
    expect(text).toMatch(/^ {2}server:\n {4}Container ID: +peapod:\/\/[0-9a-f]{64}\n/m);
    expect(text).toMatch(/^ {4}State: +Running$/m);
    expect(text).toMatch(/^ {2}Ready +True *$/m);
    expect(text).toMatch(/^ {2}Normal +Started +[\dhms]+ +kubelet +.*Started container server$/m);
  });

  test("logs and exec", async () => {
    expect(await kubectl.ok(["logs", "web", "-c", "server"])).toBe("serving\n");
    const all = await kubectl.ok(["logs", "web", "--all-containers", "--prefix"]);
    expect(all.trim().split("\n").sort()).toEqual(["[pod/web/helper] helping", "[pod/web/server] serving"]);
    expect(
      await kubectl.ok(["logs", "web", "-c", "server", "--since=1h", "--tail=1", "--timestamps"]),
    ).toMatch(/^\d{4}-\d\d-\d\dT\S+Z serving\n$/);
    const output = await kubectl.run([
      "exec",
      "web",
      "-c",
      "helper",
      "--",
      "sh",
      "-c",
      "echo out; echo err >&2; exit 7",
    ]);
    expect(output).toMatchObject({ exitCode: 7, stdout: "out\n" });
    expect(output.stderr).toBe("err\ncommand terminated with exit code 7\n");
    const fed = await kubectl.ok(["exec", "-i", "web", "-c", "server", "--", "cat"], { input: "fed\n" });
    expect(fed).toBe("fed\n");
    const missing = await kubectl.run(["logs", "web", "-c", "nobody"]);
    expect(missing.stderr).toBe("error: container nobody is not valid for pod web\n");
  });

  test("top says what pods, containers and the node use", async () => {
    const [pod] = rows(await kubectl.ok(["top", "pod"]));
    expect(pod).toEqual(["web", expect.stringMatching(/^\d+m$/), expect.stringMatching(/^\d+Mi$/)]);
    const containers = rows(await kubectl.ok(["top", "pod", "web", "--containers"]));
    expect(containers.map(([name, container]) => [name, container])).toEqual([
      ["web", "helper"],
      ["web", "server"],
    ]);
    expect(rows(await kubectl.ok(["top", "node"]))[0]).toHaveLength(5);
  });

  test("label, annotate and three kinds of patch", async () => {
    expect(await kubectl.ok(["label", "pod", "web", "tier=front"])).toBe("pod/web labeled\n");
    const taken = await kubectl.run(["label", "pod", "web", "tier=back"]);
    expect(taken.exitCode).toBe(1);
    expect(taken.stderr).toContain("'tier' already has a value (front), and --overwrite is false");
    expect(await kubectl.ok(["annotate", "pod", "web", "note=first"])).toBe("pod/web annotated\n");
    expect(await kubectl.ok(["patch", "pod", "web", "-p", '{"metadata":{"labels":{"a":"1"}}}'])).toBe(
      "pod/web patched\n",
    );
    expect(
      await kubectl.ok([
        "patch",
        "pod",
        "web",
        "--type=merge",
        "-p",
        '{"metadata":{"labels":{"a":null,"b":"2"}}}',
      ]),
    ).toBe("pod/web patched\n");
    const operations = JSON.stringify([{ op: "add", path: "/metadata/labels/c", value: "3" }]);
    expect(await kubectl.ok(["patch", "pod", "web", "--type=json", "-p", operations])).toBe(
      "pod/web patched\n",
    );
    const same = await kubectl.ok(["patch", "pod", "web", "-p", '{"metadata":{"labels":{"b":"2"}}}']);
    expect(same).toBe("pod/web patched (no change)\n");
    expect(JSON.parse(await jsonpath(["pod", "web"], "{.metadata.labels}"))).toEqual({
      app: "web",
      tier: "front",
      b: "2",
      c: "3",
    });
    const forbidden = await kubectl.run(["patch", "pod", "web", "-p", '{"spec":{"restartPolicy":"Never"}}']);
    expect(forbidden.exitCode).toBe(1);
    expect(forbidden.stderr).toMatch(
      /^The Pod "web" is invalid: spec: Forbidden: pod updates may not change fields other than/,
    );
  });

  test("diff shows what apply would change, and exits with 1", async () => {
    expect(await kubectl.run(["diff", "-f", podFile])).toMatchObject({ exitCode: 0, stdout: "" });
    const { exitCode, stdout } = await kubectl.run(["diff", "-f", "-"], {
      input: podText.replace("app: web", "app: shop"),
    });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^-\s+app: web$/m);
    expect(stdout).toMatch(/^\+\s+app: shop$/m);
  });

  test("edit with an editor of one's own", async () => {
    const editor = join(node.runDir, "editor");
    writeFileSync(editor, `#!/bin/sh\nsed -i 's/tier: front/tier: edited/' "$1"\n`);
    chmodSync(editor, 0o755);
    expect(await kubectl.ok(["edit", "pod", "web"], { env: { EDITOR: editor } })).toBe("pod/web edited\n");
    expect(await jsonpath(["pod", "web"], "{.metadata.labels.tier}")).toBe("edited");
    const unchanged = await kubectl.run(["edit", "pod", "web"], { env: { EDITOR: "true" } });
    expect(unchanged.stderr).toBe("Edit cancelled, no changes made.\n");
  });

  test("events, by two commands", async () => {
    expect(await kubectl.ok(["events", "--for", "pod/web"])).toMatch(
      /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/,
    );
    const reasons = rows(await kubectl.ok(["get", "events", "--field-selector=involvedObject.name=web"]));
    expect(reasons.map(([, , reason, object]) => [reason, object])).toContainEqual(["Started", "pod/web"]);
    const grouped = await kubectl.ok([
      "get",
      "events.v1.events.k8s.io",
      "-o",
      "jsonpath={.items[*].regarding.name}",
    ]);
    expect(grouped).toContain("web");
  });

  test("get -w sees every change while it watches", async () => {
    const child = spawn(programs.kubectl, ["get", "pod", "web", "-w", "-L", "watched"], { env });
    try {
      const seen: string[] = [];
      for await (const line of createInterface(child.stdout)) {
        seen.push(line.trim().split(/\s+/).at(-1) ?? "");
        if (seen.length === 2) await kubectl.ok(["label", "pod", "web", "watched=one"]);
        if (seen.length === 3) await kubectl.ok(["label", "pod", "web", "--overwrite", "watched=two"]);
        if (seen.length === 4) break;
      }
      expect(seen).toEqual(["WATCHED", expect.stringMatching(/^[\dhms]+$/), "one", "two"]);
    } finally {
      child.kill();
    }
  });

  test("replace --force makes it anew; delete waits for its end", async () => {
    const before = await jsonpath(["pod", "web"], "{.metadata.uid}");
    expect(await kubectl.ok(["replace", "--force", "-f", podFile])).toBe(
      'pod "web" deleted from default namespace\npod/web replaced\n',
    );
    expect(await jsonpath(["pod", "web"], "{.metadata.uid}")).not.toBe(before);
    expect(await kubectl.ok(["delete", "pod", "web"])).toBe('pod "web" deleted from default namespace\n');
    const gone = await kubectl.run(["get", "pod", "web"]);
    expect(gone).toMatchObject({
      exitCode: 1,
      stderr: 'Error from server (NotFound): pods "web" not found\n',
    });
  });

  test("run --restart=Never runs to its end", async () => {
    const command = ["run", "once", "--image=peapod.dev/host", "--restart=Never", "--command", "--"];
    expect(await kubectl.ok([...command, "sh", "-c", "echo ran"])).toBe("pod/once created\n");
    await kubectl.ok(["wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/once", "--timeout=60s"]);
    expect(await kubectl.ok(["logs", "once"])).toBe("ran\n");
    expect(rows(await kubectl.ok(["get", "pod", "once"]))[0]?.slice(0, 3)).toEqual([
      "once",
      "0/1",
      "Completed",
    ]);
    expect(await kubectl.ok(["delete", "pod", "once", "--now"])).toContain('pod "once" deleted');
  });
});

describe("what is wrong is refused in the API server's words", () => {
  test("unknown fields, broken rules, unknown kinds", async () => {
    const misspelled = await kubectl.run(["apply", "-f", "-"], {
      input: podText.replace("ports:", "portz:"),
    });
    expect(misspelled.exitCode).toBe(1);
    expect(misspelled.stderr).toContain(
      'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].portz"',
    );
    const invalid = await kubectl.run(["create", "-f", "-"], {
      input: podText.replace("containerPort: 8080", "containerPort: 80800"),
    });
    expect(invalid.stderr).toBe(
      'The Pod "web" is invalid: spec.containers[0].ports[0].containerPort: Invalid value: 80800: must be between 1 and 65535, inclusive\n',
    );
    const kind = await kubectl.run(["apply", "-f", "-"], {
      input: "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\n",
    });
    expect(kind.stderr).toContain('no matches for kind "Thing" in version "example.com/v1"');
    expect(await kubectl.run(["get", "things"])).toMatchObject({
      exitCode: 1,
      stderr: 'error: the server doesn\'t have a resource type "things"\n',
    });
  });

  test("with --validate=warn an unknown field is only warned of, and dry runs write nothing", async () => {
    const { exitCode, stdout, stderr } = await kubectl.run(
      ["apply", "--dry-run=server", "--validate=warn", "-f", "-"],
      { input: podText.replace("ports:", "portz:") },
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "pod/web created (server dry run)\n" });
    expect(stderr).toContain('Warning: unknown field "spec.containers[0].portz"');
    expect((await kubectl.run(["get", "pod", "web"])).exitCode).toBe(1);
  });

  test("what is stored but not honoured yet is said", async () => {
    const { stdout, stderr } = await kubectl.run(["create", "ingress", "i", "--rule=example.com/*=web:80"]);
    expect(stdout).toBe("ingress.networking.k8s.io/i created\n");
    expect(stderr).toContain("Warning: Ingress is stored but not honoured yet by this version of Peapod");
    await kubectl.ok(["delete", "ingress", "i"]);
  });

  test("deployments are made, scaled, shown and exposed", async () => {
    const created = await kubectl.run(["create", "deployment", "d", "--image=x", "--replicas=2"]);
    expect(created).toMatchObject({ stdout: "deployment.apps/d created\n", stderr: "" });
    expect(await kubectl.ok(["scale", "deployment", "d", "--replicas=3"])).toBe("deployment.apps/d scaled\n");
    await kubectl.ok(["wait", "deployment/d", "--for=jsonpath={.status.updatedReplicas}=3", "--timeout=60s"]);
    expect(rows(await kubectl.ok(["get", "deployments", "-o", "wide"]))[0]).toEqual([
      "d",
      "0/3",
      "3",
      "0",
      expect.stringMatching(/s$/),
      "x",
      "x",
      "app=d",
    ]);
    expect(await kubectl.ok(["expose", "deployment", "d", "--port=80"])).toBe("service/d exposed\n");
    expect(await jsonpath(["service", "d"], "{.spec.type} {.spec.clusterIP}")).toMatch(
      /^ClusterIP 10\.(9[6-9]|10\d|11[01])\.\d+\.\d+$/,
    );
    await kubectl.ok(["delete", "deployment,service", "d"]);
  });
});

describe("server-side apply", () => {
  const configMap = (data: Record<string, string>) =>
    JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "shared" }, data });
  const apply = (manager: string, data: Record<string, string>, ...more: string[]) =>
    kubectl.run(["apply", "--server-side", `--field-manager=${manager}`, ...more, "-f", "-"], {
      input: configMap(data),
    });

  test("owners share an object; who wants another's field is told whose it is", async () => {
    expect((await apply("one", { a: "1", b: "1" })).stdout).toBe("configmap/shared serverside-applied\n");
    expect((await apply("two", { c: "2" })).exitCode).toBe(0);
    const conflict = await apply("two", { a: "2", c: "2" });
    expect(conflict.exitCode).toBe(1);
    expect(conflict.stderr).toContain('error: Apply failed with 1 conflict: conflict with "one": .data.a\n');
    expect((await apply("two", { a: "2", c: "2" }, "--force-conflicts")).exitCode).toBe(0);
    expect(JSON.parse(await jsonpath(["configmap", "shared"], "{.data}"))).toEqual({
      a: "2",
      b: "1",
      c: "2",
    });

    // What its only owner no longer applies goes; what another owns stays.
    expect((await apply("one", { b: "1" })).exitCode).toBe(0);
    expect((await apply("two", { a: "2" })).exitCode).toBe(0);
    expect(JSON.parse(await jsonpath(["configmap", "shared"], "{.data}"))).toEqual({ a: "2", b: "1" });

    const fields = JSON.parse(
      await kubectl.ok(["get", "configmap", "shared", "-o", "json", "--show-managed-fields"]),
    ).metadata.managedFields as { manager: string; operation: string; fieldsV1: unknown }[];
    expect(fields.map(({ manager, operation, fieldsV1 }) => [manager, operation, fieldsV1])).toEqual(
      expect.arrayContaining([
        ["one", "Apply", { "f:data": { "f:b": {} } }],
        ["two", "Apply", { "f:data": { "f:a": {} } }],
      ]),
    );
  });

  test("an apply by the client comes over to the server", async () => {
    await kubectl.ok(["apply", "-f", podFile]);
    expect(await kubectl.ok(["apply", "--server-side", "-f", podFile])).toBe("pod/web serverside-applied\n");
    // kubectl has moved its own fields over, so its next change is no conflict with itself.
    const changed = podText.replace("app: web", "app: shop");
    expect(await kubectl.ok(["apply", "--server-side", "-f", "-"], { input: changed })).toBe(
      "pod/web serverside-applied\n",
    );
    expect(await jsonpath(["pod", "web"], "{.metadata.labels.app}")).toBe("shop");
    await kubectl.ok(["delete", "pod", "web", "--now"]);
  });
});

describe("configuration and ownership", () => {
  test("create configmap and secret, get and describe them", async () => {
    expect(await kubectl.ok(["create", "configmap", "words", "--from-literal=greeting=hello"])).toBe(
      "configmap/words created\n",
    );
    expect(await kubectl.ok(["create", "secret", "generic", "keys", "--from-literal=door=sesame"])).toBe(
      "secret/keys created\n",
    );
    expect(await kubectl.ok(["describe", "configmap", "words"])).toMatch(/^greeting:\n----\nhello\n/m);
    const secret = await kubectl.ok(["describe", "secret", "keys"]);
    expect(secret).toMatch(/^door: {2}6 bytes$/m);
    expect(secret).not.toContain("sesame");
    expect(await jsonpath(["secret", "keys"], "{.data.door}")).toBe(Buffer.from("sesame").toString("base64"));
    expect(rows(await kubectl.ok(["get", "secret", "keys"]))[0]?.slice(0, 3)).toEqual([
      "keys",
      "Opaque",
      "1",
    ]);
    const immutable = '{"immutable":true}';
    await kubectl.ok(["patch", "configmap", "words", "-p", immutable]);
    const refused = await kubectl.run(["patch", "configmap", "words", "-p", '{"data":{"greeting":"bye"}}']);
    expect(refused.stderr).toBe(
      'The ConfigMap "words" is invalid: data: Forbidden: field is immutable when `immutable` is set\n',
    );
  });

  test.each([
    ["background", []],
    ["foreground", []],
    ["orphan", ["child"]],
  ])("delete --cascade=%s leaves %j", async (cascade, left) => {
    const configMap = (name: string, owner?: { name: string; uid: string }) =>
      JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name,
          labels: { family: "yes" },
          ...(owner === undefined
            ? {}
            : {
                ownerReferences: [
                  { apiVersion: "v1", kind: "ConfigMap", blockOwnerDeletion: true, ...owner },
                ],
              }),
        },
      });
    await kubectl.ok(["create", "-f", "-"], { input: configMap("parent") });
    const uid = await jsonpath(["configmap", "parent"], "{.metadata.uid}");
    await kubectl.ok(["create", "-f", "-"], { input: configMap("child", { name: "parent", uid }) });
    await kubectl.ok(["delete", "configmap", "parent", `--cascade=${cascade}`]);
    if (left.length === 0) {
      await kubectl.ok(["wait", "--for=delete", "configmap/child", "--timeout=20s"]);
    }
    const names = await jsonpath(["configmap", "-l", "family=yes"], "{.items[*].metadata.name}");
    expect(names).toBe(left.join(" "));
    expect(await jsonpath(["configmap", "-l", "family=yes"], "{.items[*].metadata.ownerReferences}")).toBe(
      "",
    );
    await kubectl.ok(["delete", "configmap", "-l", "family=yes"]);
  });

  test("a namespace goes with everything in it", async () => {
    expect(await kubectl.ok(["create", "namespace", "short"])).toBe("namespace/short created\n");
    await kubectl.ok(["-n", "short", "create", "configmap", "c"]);
    expect(await kubectl.ok(["delete", "namespace", "short"])).toBe('namespace "short" deleted\n');
    expect((await kubectl.run(["-n", "short", "get", "configmap", "c"])).stderr).toContain("NotFound");
  });
});
