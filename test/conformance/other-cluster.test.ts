import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type CommandOutput, eventually, runCommand, type TestNode, testNode } from "../helpers/peapod.ts";

// `--context` and `--kubeconfig`: the same commands on a cluster by its kubeconfig. The cluster is a node's TLS address;
// what runs the commands has no node, and may start none.

const launcher = join(import.meta.dirname, "../../bin/peapod");

interface Entries {
  clusters: { name: string; cluster: Record<string, unknown> }[];
  users: { name: string; user: Record<string, unknown> }[];
}

let node: TestNode;
let folder: string;
let env: NodeJS.ProcessEnv;
let kubeconfig: string;
let own: Entries;

beforeAll(async () => {
  node = await testNode();
  folder = join(node.runDir, "elsewhere");
  mkdirSync(folder);
  const nowhere = join(folder, "nowhere");
  const { PATH = "" } = process.env;
  env = { PATH, HOME: folder, NO_COLOR: "1", PEAPOD_NO_AUTOSTART: "1" };
  env = { ...env, PEAPOD_RUN_DIR: nowhere, PEAPOD_STATE_DIR: nowhere };
  const text = await node.ok(["kubeconfig"]);
  own = parse(text) as Entries;
  kubeconfig = join(folder, "config");
  writeFileSync(kubeconfig, text);
});
afterAll(() => node?.close());

function peapod(
  args: readonly string[],
  options: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<CommandOutput> {
  return runCommand(launcher, args, { ...options, env: { ...env, ...options.env } });
}

async function ok(args: readonly string[], input?: string): Promise<string> {
  const all = ["--kubeconfig", kubeconfig, ...args];
  const output = await peapod(all, input === undefined ? {} : { input });
  if (output.exitCode !== 0)
    throw new Error(`${args.join(" ")}: ${output.exitCode}\n${output.stdout}${output.stderr}`);
  return output.stdout;
}

/** A kubeconfig with another cluster or user entry. */
function variant(name: string, change: { cluster?: object; user?: object; namespace?: string }): string {
  const path = join(folder, name);
  const cluster = change.cluster ?? own.clusters[0]?.cluster;
  const user = change.user ?? own.users[0]?.user;
  const context = { cluster: "c", user: "u", ...(change.namespace && { namespace: change.namespace }) };
  writeFileSync(
    path,
    stringify({
      "current-context": "x",
      contexts: [{ name: "x", context }],
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user }],
    }),
  );
  return path;
}

const manifest = `
apiVersion: v1
kind: Pod
metadata: {name: far}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: peapod.dev/host
      command: [perl, -e, 'use IO::Socket::INET; $s = IO::Socket::INET->new(Listen => 9, LocalAddr => "127.0.0.1:8080", ReuseAddr => 1) or die; print "listening\\n"; $| = 1; print "up\\n"; while ($c = $s->accept) { print $c "hello\\n"; close $c }']
`;

test("up, get, describe, logs, exec, channels, delete", async () => {
  const file = join(folder, "far.yaml");
  writeFileSync(file, manifest);
  expect(await ok(["up", "-d", "-f", file])).toContain("pod/far ready");
  expect(await node.ok(["get", "pods"])).toMatch(/^far +1\/1/m);
  expect(await ok(["get", "pods", "-o", "name"])).toBe("pod/far\n");
  expect(await ok(["describe", "pod", "far"])).toMatch(/^Name: +far$/m);
  await eventually(async () => (await ok(["logs", "far"])).includes("listening") || undefined, "its log");
  expect(await ok(["exec", "-i", "far", "--", "cat"], "through TLS")).toBe("through TLS");
  const failed = await peapod(["--kubeconfig", kubeconfig, "exec", "far", "--", "sh", "-c", "exit 7"]);
  expect(failed.exitCode).toBe(7);
  await eventually(
    async () => (await ok(["channels", "far"])).includes("127.0.0.1:8080") || undefined,
    "its listener on the map",
  );
  expect(await ok(["version"])).toContain("Server Version: v1.");
});

test("port-forward", async () => {
  const child = spawn(launcher, ["--kubeconfig", kubeconfig, "port-forward", "far", ":8080"], { env });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
  const socket = connect(port, "127.0.0.1");
  let text = "";
  for await (const chunk of socket) text += chunk;
  expect(text).toBe("hello\n");
  child.kill("SIGINT");
  await once(child, "close");
});

test("delete", async () => {
  expect(await ok(["delete", "pod", "far"])).toContain('"far" deleted');
  expect(await node.ok(["get", "pods", "-o", "name"])).toBe("");
});

describe("the kubeconfig", () => {
  const names = ["get", "namespaces", "-o", "name"];
  const reaches = async (path: string) => {
    const { stdout, stderr } = await peapod(["--kubeconfig", path, ...names]);
    expect(stdout, stderr).toContain("namespace/default\n");
  };

  test("token, file and plugin in place of the certificate", async () => {
    const token = readFileSync(join(node.stateDir, "pki/admin.token"), "utf8").trim();
    await reaches(variant("token", { user: { token } }));
    writeFileSync(join(folder, "secret"), `${token}\n`);
    await reaches(variant("token-file", { user: { tokenFile: "secret" } }));
    const script = `printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' ${token}`;
    await reaches(variant("plugin", { user: { exec: { command: "sh", args: ["-c", script] } } }));
    const wrong = await peapod(["--kubeconfig", variant("wrong", { user: { token: "x" } }), ...names]);
    expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("Unauthorized") });
  });

  test("authority in a file, none at all, and no check", async () => {
    const { "certificate-authority-data": data, ...cluster } = own.clusters[0]?.cluster ?? {};
    writeFileSync(join(folder, "ca.crt"), Buffer.from(String(data), "base64"));
    await reaches(variant("ca-file", { cluster: { ...cluster, "certificate-authority": "ca.crt" } }));
    await reaches(variant("insecure", { cluster: { ...cluster, "insecure-skip-tls-verify": true } }));
    const stranger = await peapod(["--kubeconfig", variant("no-ca", { cluster }), ...names]);
    expect(stranger.exitCode).toBe(1);
    expect(stranger.stderr).toMatch(
      /connect to the cluster of context "x" at 127\.0\.0\.1:\d+: .*certificate/,
    );
  });

  test("the context's namespace is the default, -n goes before it", async () => {
    const path = variant("namespaced", { namespace: "kube-system" });
    const { stderr } = await peapod(["--kubeconfig", path, "get", "pods"]);
    expect(stderr).toBe("No resources found in kube-system namespace.\n");
    const other = await peapod(["--kubeconfig", path, "-n", "default", "get", "pods"]);
    expect(other.stderr).toBe("No resources found in default namespace.\n");
  });

  test("KUBECONFIG counts with --context only", async () => {
    const KUBECONFIG = kubeconfig;
    const { stdout } = await peapod(["--context", "peapod", ...names], { env: { KUBECONFIG } });
    expect(stdout).toContain("namespace/default\n");
    const local = await peapod(names, { env: { KUBECONFIG } });
    expect(local.stderr).toContain("no node daemon is running");
    const misspelt = await peapod(["--context=peapdo", ...names], { env: { KUBECONFIG } });
    expect(misspelt.exitCode).toBe(2);
    expect(misspelt.stderr).toContain(
      `there is no context "peapdo" in ${kubeconfig}; did you mean "peapod"?`,
    );
  });

  test("what is about this machine can't be asked of a cluster", async () => {
    for (const args of [["node", "status"], ["image", "list"], ["kubeconfig"]]) {
      const { exitCode, stderr } = await peapod(["--kubeconfig", kubeconfig, ...args]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(`${args[0]} is about this machine's node`);
    }
  });
});
