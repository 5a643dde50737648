import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

let node: TestNode;
beforeAll(async () => {
  node = await testNode();
});
afterAll(() => node?.close());

const count = 300;
const counter = (name: string) =>
  `i=0; while [ $i -lt ${count} ]; do echo ${name} $i; [ $((i % 3)) = 0 ] && sleep 0.05; i=$((i+1)); done`;

const listener = "import socket, time; s = socket.create_server(('127.0.0.1', 8080)); time.sleep(1000)";

function manifest(name: string, commandOfB = ["sh", "-c", counter("b")]): string {
  const container = (own: string, command: readonly string[]) => ({
    name: own,
    image: "peapod.dev/host",
    command,
  });
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      containers: [container("a", ["sh", "-c", counter("a")]), container("b", commandOfB)],
    },
  });
}

/** A command that is left to itself; what it has printed so far, and how it ends. */
function start(args: string[], input = "") {
  const child = spawn(join(import.meta.dirname, "../../bin/peapod"), args, {
    env: { ...process.env, PEAPOD_STATE_DIR: node.stateDir, PEAPOD_RUN_DIR: node.runDir, NO_COLOR: "1" },
  });
  const command = {
    stdout: "",
    stderr: "",
    exitCode: new Promise<number>((resolve) => child.on("close", resolve)),
  };
  child.stdout.on("data", (chunk) => (command.stdout += chunk));
  child.stderr.on("data", (chunk) => (command.stderr += chunk));
  child.stdin.end(input);
  return command;
}

const numbers = (text: string, line: RegExp) => [...text.matchAll(line)].map(([, number]) => Number(number));
const all = Array.from({ length: count }, (_, index) => index);

test("attached up goes on after kill -9 of the daemon: it starts another, every line comes once", async () => {
  const up = start(["up", "-f", "-"], manifest("attached"));
  for (const line of [/\ba 40$/m, /\bb 150$/m]) {
    await eventually(() => line.test(up.stdout) || undefined, `a line like ${line}`);
    await node.killDaemon();
  }
  expect(await up.exitCode).toBe(0);
  for (const name of ["a", "b"]) {
    expect(numbers(up.stdout, new RegExp(`^\\[attached ${name}\\] ${name} (\\d+)$`, "gm"))).toEqual(all);
  }
});

test("logs -f goes on too", async () => {
  await node.ok(["up", "-d", "-f", "-"], { input: manifest("followed") });
  const logs = start(["logs", "-f", "followed", "-c", "b"]);
  const prefixed = start(["logs", "-f", "followed", "--all-containers", "--prefix", "--timestamps"]);
  await eventually(() => /^b 60$/m.test(logs.stdout) || undefined, "b 60");
  await node.killDaemon();
  expect([await logs.exitCode, await prefixed.exitCode]).toEqual([0, 0]);
  expect(numbers(logs.stdout, /^b (\d+)$/gm)).toEqual(all);
  expect(numbers(prefixed.stdout, /^\[pod\/followed\/a\] \S+Z a (\d+)$/gm)).toEqual(all);
});

test("node stop is not undone by commands that watch", async () => {
  await node.ok(["up", "-d", "-f", "-"], {
    input: manifest("watched", ["python3", "-c", listener]),
  });
  const watching = [
    start(["get", "pods", "-w"]),
    start(["channels", "-w"]),
    start(["logs", "-f", "watched", "-c", "a"]),
  ];
  // One that connects only afterwards starts a node, as it should.
  await eventually(() => watching.every(({ stdout }) => stdout !== "") || undefined, "output of all");
  await node.ok(["node", "stop"]);
  await Promise.all(watching.map(({ exitCode }) => exitCode));
  expect(existsSync(join(node.runDir, "daemon.json"))).toBe(false);
});
