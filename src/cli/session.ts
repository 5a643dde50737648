import { resolve } from "node:path";
import { PeapodError, systemErrorCode } from "../base/errors.ts";
import { quietScope, type Scope } from "../base/scope.ts";
import { version } from "../base/version.ts";
import { type Client, type ClientOptions, createClient } from "../client/client.ts";
import { type Connect, unixSocket } from "../client/connect.ts";
import type { Interrupts } from "./interrupts.ts";
import { wasKilled } from "./node/running-daemon.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

/** What a command works with: paths, output, and the node behind them. */
export interface Session {
  readonly terminal: Terminal;
  /** Absolute. */
  readonly stateDir: string;
  readonly runDir: string;
  /** From `-n`; undefined: the manifest's own, else `default`. */
  readonly namespace: string | undefined;
  /** The namespace where nothing says one; absent: `default`. */
  readonly defaultNamespace?: string | undefined;
  /** The context of the cluster that is talked to instead of this machine's node. */
  readonly cluster?: string;
  /** Ends at Ctrl-C, unless the command takes that over. */
  readonly scope: Scope;
  readonly interrupts: Interrupts;
  /** Talks to the node; starts its daemon when the first connection finds none. */
  readonly client: Client;
  /** The same, but `NodeUnreachable` when no daemon runs. */
  readonly passiveClient: Client;
}

/** The values of the global flags. */
export interface GlobalValues {
  readonly namespace: string | undefined;
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly "state-dir": string | undefined;
  readonly "run-dir": string | undefined;
  readonly "no-color": boolean;
}

/** A session for this process. Opens nothing before the first request. */
export function createSession(globals: GlobalValues, interrupts: Interrupts): Session {
  const terminal = processTerminal(globals["no-color"]);
  const stateDir = resolve(globals["state-dir"] || process.env.PEAPOD_STATE_DIR || "/var/lib/peapod");
  const runDir = resolve(globals["run-dir"] || process.env.PEAPOD_RUN_DIR || "/run/peapod");
  const connect = unixSocket(`${runDir}/api.sock`);
  const options = clientOptions(terminal);
  return {
    terminal,
    stateDir,
    runDir,
    namespace: globals.namespace,
    scope: quietScope(interrupts.signal),
    interrupts,
    client: createClient({ connect: startingNode(connect, { stateDir, runDir, terminal }), ...options }),
    passiveClient: createClient({ connect: explaining(connect, runDir), ...options }),
  };
}

/** What every client of the command line has. */
export function clientOptions(terminal: Terminal): Pick<ClientOptions, "userAgent" | "onWarning"> {
  return {
    userAgent: `peapod/${version}`,
    onWarning: (text) => terminal.err(`Warning: ${text}\n`),
  };
}

/** The namespace that a command means when nothing else says one. */
export function namespaceOf(session: Session): string {
  return session.namespace ?? session.defaultNamespace ?? "default";
}

/** Whether the error says that no daemon listens on the socket. */
function isNotRunning(error: unknown): boolean {
  const code = error instanceof PeapodError ? systemErrorCode(error.cause) : undefined;
  return code === "ENOENT" || code === "ECONNREFUSED";
}

function startingNode(
  connect: Connect,
  node: { stateDir: string; runDir: string; terminal: Terminal },
): Connect {
  // A daemon that goes away later was stopped by somebody, and stays so, unless it was killed.
  let hasConnected = false;
  let hasTried = false;
  let starting: Promise<void> | undefined;
  return async (scope) => {
    try {
      const connection = await connect(scope);
      hasConnected = true;
      return connection;
    } catch (error) {
      const isWanted = hasConnected ? wasKilled(node.runDir) : !hasTried;
      const mayStart = starting !== undefined || (isWanted && process.env.PEAPOD_NO_AUTOSTART !== "1");
      if (!mayStart || !isNotRunning(error)) throw readable(error, node.runDir);
    }
    hasTried = true;
    starting ??= import("./node/start-daemon.ts")
      .then(({ startDaemon }) => startDaemon(node, scope))
      .finally(() => {
        starting = undefined;
      });
    await starting;
    const connection = await connect(scope);
    hasConnected = true;
    return connection;
  };
}

function explaining(connect: Connect, runDir: string): Connect {
  return (scope) => connect(scope).catch((error) => Promise.reject(readable(error, runDir)));
}

function readable(error: unknown, runDir: string): unknown {
  if (isNotRunning(error)) {
    return new PeapodError(
      "NodeUnreachable",
      `no node daemon is running on ${runDir} (start it: peapod node start)`,
      {
        cause: error instanceof Error ? error.cause : error,
      },
    );
  }
  if (error instanceof PeapodError && systemErrorCode(error.cause) === "EACCES") {
    return new PeapodError("Forbidden", `only root may talk to the node daemon on ${runDir} (try sudo)`);
  }
  return error;
}
