import { spawn } from "node:child_process";

// Set in some developers' shells; costs every start of an older Node.js 50 ms, so no side gets it.
const { NODE_EXTRA_CA_CERTS: _, ...baseEnv } = process.env;

/** Nothing that is measured takes this long; a command that hangs must not take the whole run with it. */
const timeout = 60_000;

/** Runs a command to its end and resolves with its standard output; rejects with its error output. */
export function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout,
      env: { ...baseEnv, ...env },
    });
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${file} ${args.join(" ")}: exit code ${code}: ${errors.trim()}`));
    });
  });
}

/**
 * Runs a command with no pipes and resolves when it has exited. For commands whose detached children would keep
 * a pipe open.
 */
export function runDetached(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: "ignore", timeout, env: { ...baseEnv, ...env } });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${file} ${args.join(" ")}: exit code ${code}`));
    });
  });
}
