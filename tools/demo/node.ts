import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** A peapod node in folders of its own, so that nothing of the user's own node is touched. */
export interface DemoNode {
  /** Runs one CLI command and returns its standard output; a failed command throws with its error output. */
  peapod(...args: string[]): string;
  /** The same with both outputs going straight to the terminal. Returns whether it ended well. */
  show(...args: string[]): boolean;
  /** Removes all pods, stops the daemon and removes the folders. Throws, removing nothing, if mounts are left. */
  remove(): void;
}

/** The node's daemon starts by itself with the first command. */
export function makeNode(): DemoNode {
  const folder = mkdtempSync(join(tmpdir(), "peapod-demo-"));
  const env = {
    ...process.env,
    PEAPOD_STATE_DIR: join(folder, "state"),
    PEAPOD_RUN_DIR: join(folder, "run"),
  };
  const program = join(root, "bin/peapod");

  const peapod = (...args: string[]): string => {
    const result = spawnSync(program, args, { env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
    if (result.status === 0) return result.stdout;
    throw new Error(`peapod ${args.join(" ")}: ${(result.stderr || result.error?.message) ?? "failed"}`);
  };
  return {
    peapod,
    show: (...args) =>
      spawnSync(program, args, { env, stdio: ["ignore", "inherit", "inherit"] }).status === 0,
    remove: () => {
      peapod("down", "--all");
      peapod("node", "stop");
      // Never delete through a mount that somebody forgot: below it may be this machine's own files.
      const mounts = readFileSync("/proc/self/mountinfo", "utf8").match(/\S*\/peapod-demo-\S+/g) ?? [];
      const left = mounts.filter((path) => path.startsWith(`${folder}/`));
      if (left.length > 0) throw new Error(`these mounts are left: ${left.join(", ")}`);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
