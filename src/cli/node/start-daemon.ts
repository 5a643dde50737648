import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import { errorCode, explain, PeapodError } from "../../base/errors.ts";
import { yieldedExitCode } from "../../base/exit-codes.ts";
import { type Scope, withTimeout } from "../../base/scope.ts";
import { createClient } from "../../client/client.ts";
import { programFile } from "./program-file.ts";
import { runningDaemon } from "./running-daemon.ts";

/**
 * How the node daemon is started. Without any setting but the folders it takes those of its last start, which it
 * keeps (src/daemon/kept-flags.ts); `defaults` has it forget them.
 */
export interface DaemonSettings {
  readonly stateDir: string;
  readonly runDir: string;
  readonly runtime?: string | undefined;
  readonly cniConfDir?: string | undefined;
  readonly podCIDR?: string | undefined;
  readonly registriesConf?: string | undefined;
  readonly apiAddress?: string | undefined;
  readonly allowedUnsafeSysctls?: string | undefined;
  readonly podMaxPIDs?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly defaults?: boolean;
}

const startLimitMilliseconds = 60_000;
const retryMilliseconds = 25;

/**
 * Starts the node daemon, detached, and returns once it answers `/readyz`. Two first uses at once are safe: the
 * daemon takes a lock, and the one that finds it taken leaves the field to the other. Throws `Forbidden` when not
 * root and `NodeUnreachable`, with the end of the daemon's log, when it dies or is not ready after a minute (it
 * takes under a second as a rule; a loaded or emulated machine is slower).
 */
export async function startDaemon(settings: DaemonSettings, scope: Scope): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new PeapodError(
      "Forbidden",
      "starting the node daemon needs root: namespaces, mounts and cgroups (try sudo)",
    );
  }
  makePrivateFolder(settings.stateDir);
  makePrivateFolder(settings.runDir);
  const limited = withTimeout(scope, startLimitMilliseconds);
  // One that is about to end would have the new one leave the field to it.
  while (runningDaemon(settings.runDir)?.stopping === true && !limited.signal.aborted) {
    await changed(settings.runDir, limited.signal);
  }
  scope.signal.throwIfAborted();
  const logPath = join(settings.stateDir, "daemon.log");
  const log = openSync(logPath, "a", 0o600);
  const logStart = statSync(logPath).size;
  let ending: string | undefined;
  let hasYielded = false;
  const spawnDaemon = () => {
    const child = spawn(process.execPath, [programFile("daemon"), ...daemonArguments(settings)], {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log, log],
    });
    child.unref();
    child.once("error", (error) => {
      ending = explain(error);
    });
    child.once("exit", (code, signal) => {
      if (code === yieldedExitCode) hasYielded = true;
      else if (code === 0) ending = "it was asked to end";
      else ending = signal === null ? `exit code ${code}` : `killed by ${signal}`;
    });
  };
  if (!limited.signal.aborted) spawnDaemon();

  const client = createClient({ socketPath: join(settings.runDir, "api.sock") });
  while (ending === undefined && !limited.signal.aborted) {
    try {
      await client.raw("/readyz", limited);
      return;
    } catch (error) {
      const code = errorCode(error);
      if (code !== "NodeUnreachable" && code !== "ServiceUnavailable" && !limited.signal.aborted) throw error;
    }
    await changed(settings.runDir, limited.signal);
    // The daemon that it left the field to is the one to wait for, unless that was about to end.
    if (hasYielded && runningDaemon(settings.runDir) === undefined) {
      hasYielded = false;
      spawnDaemon();
    }
  }
  scope.signal.throwIfAborted();
  const tail = logTail(logPath, logStart);
  const kept = existsSync(join(settings.stateDir, "node.json"))
    ? "\nthe flags of its last start are kept ('peapod node start --defaults' forgets them)"
    : "";
  throw new PeapodError(
    "NodeUnreachable",
    `the node daemon ${ending === undefined ? `was not ready after ${startLimitMilliseconds / 1000} s` : `did not start: ${ending}`}${tail}\nits log: ${logPath}${kept}`,
  );
}

function daemonArguments(settings: DaemonSettings): string[] {
  const optional = {
    "--runtime": settings.runtime,
    "--cni-conf-dir": settings.cniConfDir,
    "--pod-cidr": settings.podCIDR,
    "--registries-conf": settings.registriesConf,
    "--api-address": settings.apiAddress,
    "--allowed-unsafe-sysctls": settings.allowedUnsafeSysctls,
    "--pod-max-pids": settings.podMaxPIDs,
    "--log-level": settings.logLevel,
  };
  return [
    "--state-dir",
    settings.stateDir,
    "--run-dir",
    settings.runDir,
    ...(settings.defaults === true ? ["--defaults"] : []),
    ...Object.entries(optional).flatMap(([flag, value]) => (value === undefined ? [] : [`${flag}=${value}`])),
  ];
}

function makePrivateFolder(path: string): void {
  const made = mkdirSync(path, { recursive: true, mode: 0o700 });
  // Only a folder of our own making: narrowing one that the user chose (say, /tmp) would lock others out.
  if (made !== undefined) chmodSync(path, 0o700);
}

/** Resolves when something changes in the folder (the socket appears), at the latest after a short while. */
function changed(folder: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, () => done());
    const timer = setTimeout(() => done(), retryMilliseconds);
    const done = () => {
      clearTimeout(timer);
      watcher.close();
      signal.removeEventListener("abort", done);
      resolve();
    };
    watcher.on("error", done);
    signal.addEventListener("abort", done, { once: true });
  });
}

function logTail(path: string, from: number): string {
  const text = readFileSync(path).subarray(from).toString().trimEnd();
  return text === ""
    ? ""
    : `\n${text
        .split("\n")
        .slice(-15)
        .map((line) => `  ${line}`)
        .join("\n")}`;
}
