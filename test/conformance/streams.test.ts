import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { onTerminal } from "../helpers/pseudo-terminal.ts";

/** What flows through a pod's containers, as kubectl 1.35 carries it: exec, attach, run, cp and port-forward. */

let node: TestNode;
let kubectl: Client;
let env: NodeJS.ProcessEnv;
let program: string;

/** kubectl's own switches back to what it spoke up to 1.30. */
const spdy = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" };
const carriers: [string, NodeJS.ProcessEnv][] = [
  ["by WebSocket", {}],
  ["by SPDY, as old clients", spdy],
];

const server = `
const http = require("http");
http.createServer({ keepAliveTimeout: 0 }, (request, response) => {
  const hash = require("crypto").createHash("sha256");
  request.on("data", (chunk) => hash.update(chunk));
  request.on("end", () => response.end(request.url + " " + hash.digest("hex")));
}).listen(8080, "127.0.0.1");
require("net").createServer({ allowHalfOpen: true }, (socket) => {
  let bytes = 0;
  socket.on("data", (chunk) => { bytes += chunk.length; });
  socket.on("end", () => socket.end("got " + bytes));
}).listen(9090, "::1");
`;
const echo = 'while read line; do echo "out $line"; echo "err $line" >&2; done; echo over';

const manifest = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "streams" },
  spec: {
    terminationGracePeriodSeconds: 1,
    restartPolicy: "Never",
    containers: [
      { name: "main", command: ["sleep", "infinity"] },
      { name: "server", command: ["node", "-e", server], ports: [{ name: "web", containerPort: 8080 }] },
      { name: "typed", command: ["sh", "-c", echo], stdin: true },
      { name: "once", command: ["sh", "-c", echo], stdin: true, stdinOnce: true },
      { name: "shell", command: ["sh"], stdin: true, tty: true, env: [{ name: "PS1", value: "ready> " }] },
    ].map((container) => ({ image: "peapod.dev/host", ...container })),
  },
};

beforeAll(async () => {
  node = await testNode();
  const clients = await clientsOf(node);
  ({ kubectl, env } = clients);
  program = clients.programs.kubectl;
  await kubectl.ok(["apply", "-f", "-"], { input: JSON.stringify(manifest) });
  await kubectl.ok(["wait", "--for=condition=Ready", "pod/streams", "--timeout=60s"]);
});
afterAll(() => node?.close());

describe.each(carriers)("exec %s", (_name, extra) => {
  const exec = (flags: readonly string[], command: readonly string[]) =>
    kubectl.run(["exec", ...flags, "streams", "-c", "main", "--", ...command], { env: extra });

  test("both outputs apart, and the exit code", async () => {
    expect(await exec([], ["sh", "-c", "echo out; echo err >&2; exit 7"])).toEqual({
      stdout: "out\n",
      stderr: "err\ncommand terminated with exit code 7\n",
      exitCode: 7,
    });
    expect(await exec([], ["true"])).toEqual({ stdout: "", stderr: "", exitCode: 0 });
    expect((await exec([], ["sh", "-c", "kill -KILL $$"])).exitCode).toBe(137);
    expect((await exec([], ["sh", "-c", "exit 255"])).exitCode).toBe(255);
  });

  test("standard input ends where it ends, with every byte before", async () => {
    const bytes = randomBytes(2_000_000);
    const child = spawn(program, ["exec", "-i", "streams", "-c", "main", "--", "sha256sum"], {
      env: { ...env, ...extra },
    });
    child.stdin.end(bytes);
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    await once(child, "close");
    expect(output).toBe(`${createHash("sha256").update(bytes).digest("hex")}  -\n`);
  });

  test("output of any bytes", async () => {
    const script = "process.stdout.write(Buffer.from(Array.from({ length: 65536 }, (_, n) => n % 251)))";
    const child = spawn(program, ["exec", "streams", "-c", "main", "--", "node", "-e", script], {
      env: { ...env, ...extra },
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    await once(child, "close");
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(Array.from({ length: 65_536 }, (_, n) => n % 251)));
  });

  test("a terminal: its size, changes of it, keys and the exit code", async () => {
    const shell = ["env", "PS1=ready> ", "sh"];
    const args = ["exec", "-it", "streams", "-c", "main", "--", ...shell];
    const terminal = onTerminal(program, args, { ...env, ...extra });
    await terminal.shows(/ready> /);
    terminal.type("tty; stty size\r");
    await terminal.shows(/\/dev\/pts\/\d+\r\n24 80\r\nready> /);
    // Not a loop of the shell's: between two of its commands a terminal's signals reach nobody.
    const resizes = "signal.signal(signal.SIGWINCH, lambda *_: print(os.get_terminal_size(), flush=True))";
    terminal.type(
      `python3 -c "import os, signal, time; ${resizes}; print('ar' 'med', flush=True); time.sleep(1000)"\r`,
    );
    await terminal.shows(/\narmed\r\n/);
    terminal.resize(132, 43);
    await terminal.shows(/columns=132, lines=43/);
    terminal.type("\x03");
    await terminal.shows(/KeyboardInterrupt/);
    await terminal.shows(/ready> /);
    terminal.type("exit 5\r");
    expect(await terminal.exited).toBe(5);
  });
});

test("exec of what cannot be executed ends as a shell would say, with the runtime's words", async () => {
  const exec = (command: string) => kubectl.run(["exec", "streams", "-c", "main", "--", command]);
  const missing = await exec("no-such-command");
  expect(missing.exitCode).toBe(127);
  expect(missing.stderr).toContain("no-such-command");
  expect(missing.stderr).toContain("not found in $PATH");
  const folder = await exec("/etc/passwd");
  expect(folder.exitCode).toBe(126);
  expect(folder.stderr).toContain("Permission denied");
  const absent = await kubectl.run(["exec", "streams", "-c", "nobody", "--", "true"]);
  expect(absent.exitCode).toBe(1);
});

describe.each(carriers)("attach %s", (_name, extra) => {
  test("what is typed arrives, what is printed comes back on its own stream, and others can attach after", async () => {
    for (const word of ["first", "second"]) {
      const child = spawn(program, ["attach", "-i", "streams", "-c", "typed"], { env: { ...env, ...extra } });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk) => (stdout += chunk));
      child.stderr.on("data", (chunk) => (stderr += chunk));
      await eventually(
        () => (stderr.includes("try pressing enter") ? true : undefined),
        "kubectl says that it is attached",
      );
      child.stdin.write(`${word}\n`);
      await eventually(
        () => (stdout.includes("out") && stderr.includes("err") ? true : undefined),
        "the container's answer",
      );
      expect(stdout).toBe(`out ${word}\n`);
      expect(stderr).toMatch(new RegExp(`^err ${word}$`, "m"));
      child.kill();
      await once(child, "close");
    }
    expect(await kubectl.ok(["logs", "streams", "-c", "typed"])).not.toContain("over");
  });

  test("a container's own terminal, with its size", async () => {
    const args = ["attach", "-it", "streams", "-c", "shell"];
    const terminal = onTerminal(program, args, { ...env, ...extra });
    await terminal.shows(/try pressing enter/);
    terminal.type("\r");
    await terminal.shows(/ready> /);
    terminal.resize(101, 41);
    terminal.type("until [ \"$(stty size)\" = '41 101' ]; do sleep 0.1; done; echo $((40 + 2))\r");
    await terminal.shows(/42\r\nready> /);
  });
});

test("stdinOnce: the input ends with the first client's", async () => {
  const attached = await kubectl.run(["attach", "-i", "streams", "-c", "once"], { input: "only\n" });
  expect(attached).toMatchObject({ exitCode: 0, stdout: "out only\nover\n" });
});

describe("run", () => {
  const run = ["run", "--rm", "--restart=Never", "--image=peapod.dev/host", "-i"];

  test("a pod of one command with input, gone afterwards", async () => {
    const output = await kubectl.run([...run, "counts", "--", "wc", "-c"], { input: "12345" });
    expect(output).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^5\npod "counts" deleted/) });
  });

  test("on a terminal; its exit code is kubectl's", async () => {
    const terminal = onTerminal(program, [...run, "-t", "typing", "--env=PS1=ready> ", "--", "sh"], env);
    await terminal.shows(/try pressing enter/);
    terminal.type("\r");
    await terminal.shows(/ready> /);
    terminal.type("echo $((40 + 2)); exit 5\r");
    await terminal.shows(/42\r\n/);
    await terminal.shows(/pod "typing" deleted/);
    expect(await terminal.exited).toBe(5);
    expect((await kubectl.run(["get", "pod", "typing"])).stderr).toContain("NotFound");
  });
});

test("cp: 10 MB there and back", async () => {
  const [there, back] = [join(node.runDir, "there"), join(node.runDir, "back")];
  writeFileSync(there, randomBytes(10_000_000));
  const hash = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  await kubectl.ok(["cp", there, "streams:/tmp/copied", "-c", "main"]);
  expect(await kubectl.ok(["exec", "streams", "-c", "main", "--", "sha256sum", "/tmp/copied"])).toContain(
    hash(there),
  );
  await kubectl.ok(["cp", "streams:/tmp/copied", back, "-c", "main"]);
  expect(hash(back)).toBe(hash(there));
});

/** Starts a port-forward and resolves with its local ports, in the order of `ports`. */
async function forwarding(
  file: string,
  args: readonly string[],
  extra: NodeJS.ProcessEnv,
  count: number,
): Promise<{ ports: number[]; stop(): Promise<void>; output(): string }> {
  const child = spawn(file, args, { env: { ...env, ...extra } });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const found = () =>
    [...output.matchAll(/Forwarding from 127\.0\.0\.1:(\d+) ->/g)].map(([, port]) => Number(port));
  await eventually(
    () => (found().length === count ? true : undefined),
    `${count} ports forwarded: ${output}`,
  );
  return {
    ports: found(),
    output: () => output,
    async stop() {
      const closed = once(child, "close");
      child.kill("SIGINT");
      await closed;
    },
  };
}

function fetchText(port: number, path: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ port, path, host: "127.0.0.1", agent }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(text));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

/** `count` requests, `connections` at a time on connections that stay open; resolves with the wrong answers. */
async function load(port: number, count: number, connections: number): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const empty = createHash("sha256").digest("hex");
  const wrong: string[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const path = `/${next++}`;
      const answer = await fetchText(port, path, agent);
      if (answer !== `${path} ${empty}`) wrong.push(`${path}: ${answer}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return wrong;
}

/** Sends bytes, half-closes, and resolves with the answer. */
function halfClose(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk));
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
    socket.end(bytes);
  });
}

describe.each([
  ["kubectl by WebSocket", {}, () => [program]],
  ["kubectl by SPDY", spdy, () => [program]],
  [
    "peapod",
    {},
    () => [
      join(import.meta.dirname, "../../bin/peapod"),
      "--state-dir",
      node.stateDir,
      "--run-dir",
      node.runDir,
    ],
  ],
] as [string, NodeJS.ProcessEnv, () => string[]][])("port-forward: %s", (_name, extra, command) => {
  test("10 000 requests on connections that stay open, and half-closed ones, with nothing lost", async () => {
    const [file = "", ...first] = command();
    const pod = file === program ? "pod/streams" : "streams";
    const forwarder = await forwarding(
      file,
      [...first, "port-forward", pod, ":8080", ":web", ":9090"],
      extra,
      3,
    );
    const [http = 0, named = 0, counting = 0] = forwarder.ports;
    expect(await load(http, 10_000, 8)).toEqual([]);
    expect(await load(named, 10, 1)).toEqual([]);
    expect(await halfClose(counting, randomBytes(3_000_000))).toBe("got 3000000");
    await forwarder.stop();
  });

  test("a port where nobody listens: the words say so", async () => {
    const [file = "", ...first] = command();
    const pod = file === program ? "pod/streams" : "streams";
    const forwarder = await forwarding(file, [...first, "port-forward", pod, ":4444"], extra, 1);
    expect(await halfClose(forwarder.ports[0] ?? 0, Buffer.from("anybody?")).catch(() => "")).toBe("");
    await eventually(
      () => (forwarder.output().includes("ECONNREFUSED") ? true : undefined),
      `the reason: ${forwarder.output()}`,
    );
    if (file !== program) await forwarder.stop();
  });
});
