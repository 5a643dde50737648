import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFileIfExists } from "../../src/host/files.ts";
import { slower } from "./patience.ts";

const launcher = join(import.meta.dirname, "../../bin/peapod");

/** What a command printed and how it ended. */
export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A node of a test's own: own folders, so own bridge, subnet, cgroup and names. */
export interface TestNode {
  readonly stateDir: string;
  readonly runDir: string;
  /** Runs `bin/peapod` against this node. */
  peapod(args: readonly string[], options?: { input?: string }): Promise<CommandOutput>;
  /** The same, and throws with both outputs when it does not exit with 0. */
  ok(args: readonly string[], options?: { input?: string }): Promise<string>;
  /** PID of the node daemon, from its own file. */
  daemonPID(): number;
  /** SIGKILLs the daemon; resolves when it is over. */
  killDaemon(): Promise<void>;
  /** Its pods and the end of its daemon's log, for the message of a test that fails: CI keeps nothing else. */
  lastWords(): Promise<string>;
  /** Deletes every pod, stops the daemon and deletes the folders. */
  close(): Promise<void>;
}

/**
 * A node that starts on its first command, with `args` for `node start` where they matter. `through` is a command that
 * runs the others: `["nsenter", "--mount=…"]`.
 */
export async function testNode(
  startArgs: readonly string[] = [],
  through: readonly string[] = [],
): Promise<TestNode> {
  const base = mkdtempSync(join(tmpdir(), "peapod-test-"));
  const stateDir = join(base, "state");
  const runDir = join(base, "run");
  const env = { ...process.env, PEAPOD_STATE_DIR: stateDir, PEAPOD_RUN_DIR: runDir, NO_COLOR: "1" };

  const node: TestNode = {
    stateDir,
    runDir,
    peapod(args, options = {}) {
      const [file = launcher, ...words] = [...through, launcher, ...args];
      return runCommand(file, words, { env, ...options });
    },
    async ok(args, options) {
      const output = await node.peapod(args, options);
      if (output.exitCode !== 0) {
        throw new Error(
          `peapod ${args.join(" ")}: exit code ${output.exitCode}\n${output.stdout}${output.stderr}`,
        );
      }
      return output.stdout;
    },
    daemonPID: () => (JSON.parse(readFileSync(join(runDir, "daemon.json"), "utf8")) as { pid: number }).pid,
    async killDaemon() {
      const pid = node.daemonPID();
      process.kill(pid, "SIGKILL");
      await eventually(() => isOver(pid) || undefined, "the daemon's end");
    },
    async lastWords() {
      // Without starting one: the node may be about to be removed.
      const [file = launcher, ...words] = [
        ...through,
        launcher,
        "get",
        "pods",
        "--all-namespaces",
        "-o",
        "wide",
      ];
      const { stdout, stderr } = await runCommand(file, words, { env: { ...env, PEAPOD_NO_AUTOSTART: "1" } });
      const log = (readFileIfExists(join(stateDir, "daemon.log")) ?? "").trimEnd().split("\n").slice(-20);
      return [`${stdout}${stderr}`, ...log].join("\n");
    },
    async close() {
      // A daemon that ended without removing its pods, in a test that fails: deleting what they have mounted helps nobody.
      const leftPods =
        existsSync(join(runDir, "sandboxes")) && readdirSync(join(runDir, "sandboxes")).length > 0;
      if (leftPods || existsSync(join(runDir, "daemon.json"))) {
        await node.ok(["down", "--all", "--grace-period=1"]);
        await node.ok(["node", "stop"]);
      }
      rmSync(base, { recursive: true, force: true });
    },
  };
  await node.ok(["node", "start", ...startArgs]);
  return node;
}

/** Whether the process is gone, or ended and only waits for its parent to ask how. */
function isOver(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z");
  } catch {
    return true;
  }
}

/** Runs a program to its end; never throws for its exit code. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<CommandOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: options.env ?? process.env });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ stdout, stderr, exitCode: code ?? -1 }));
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

/** Repeats `look` until it returns something; throws what `explainLast` says after the limit. */
export async function eventually<T>(
  look: () => Promise<T | undefined> | T | undefined,
  what: string,
  patience = 30_000,
): Promise<T> {
  const limitMilliseconds = patience * slower;
  const end = Date.now() + limitMilliseconds;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`not within ${limitMilliseconds} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
