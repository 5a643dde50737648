import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { run, runDetached } from "../command.ts";

/** A server under measurement: the node daemon, or the floor. */
export interface ApiSide {
  readonly name: string;
  readonly socketPath: string;
  readonly pid: number;
  close(): Promise<void>;
}

const program = join(import.meta.dirname, "../../bin/peapod");

/** A daemon of the benchmark's own. */
export async function peapodSide(workDir: string): Promise<ApiSide> {
  const dir = join(workDir, "peapod");
  const runDir = join(dir, "run");
  mkdirSync(dir);
  const env = { PEAPOD_STATE_DIR: join(dir, "state"), PEAPOD_RUN_DIR: runDir };
  await runDetached(program, ["node", "start"], env);
  const { pid } = JSON.parse(await run(program, ["node", "status", "-o", "json"], env));
  return {
    name: "peapod",
    socketPath: join(runDir, "api.sock"),
    pid,
    async close() {
      // A node that has pods keeps its network for when it starts again. No node runs these: nobody confirms their end.
      await runDetached(program, ["delete", "pods", "--all", "--force", "--grace-period=0"], env);
      await runDetached(program, ["node", "stop"], env);
    },
  };
}

/** HTTP, a Unix socket and SQLite, by the same Node.js. */
export async function floorSide(workDir: string): Promise<ApiSide> {
  const socketPath = join(workDir, "floor.sock");
  const script = join(import.meta.dirname, "floor-server.ts");
  const child = spawn(process.execPath, [script, socketPath, join(workDir, "floor.db")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return {
    name: "floor",
    socketPath,
    pid: child.pid ?? 0,
    async close() {
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}
