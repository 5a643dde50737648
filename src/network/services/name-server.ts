import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { explain, PeapodError } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { runCommand } from "../../host/command.ts";
import { readFileIfExists, readFolderIfExists, writeFileAtomically } from "../../host/files.ts";
import {
  commandLineOf,
  identifyProcess,
  isRunning,
  type ProcessIdentity,
  signalProcess,
} from "../../host/processes.ts";

/** Ports on which dnsmasq is tried; pods ask on 53 and are led there. */
const firstPort = 5_300;
const lastPort = 5_399;
/** A server that was replaced still answers what it was asked before: longer than a resolver waits. */
const drainMilliseconds = 6_000;
const endMilliseconds = 2_000;

/** A dnsmasq that runs, found by the file in which it wrote its number. */
interface RunningServer {
  readonly file: string;
  readonly port: number;
  readonly config: string;
  readonly process: ProcessIdentity;
}

/**
 * dnsmasq(8) as processes that outlive the daemon. A new configuration is served by a new process on another port,
 * so there is always one that answers; who asks is led to it by {@link serviceRules}. What runs is known from the
 * names of the files `PORT-CONFIGURATION.pid` in `folder`, the second being a digest.
 */
export class NameServer {
  readonly #folder: string;
  readonly #retired = new Map<string, number>();
  #current: RunningServer | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Makes sure that a server with this configuration runs, and returns its port. One that an earlier daemon has
   * started serves, too. `configFor` is the configuration for a port.
   */
  async serve(configFor: (port: number) => string, scope: Scope): Promise<number> {
    const config = digest(configFor(0));
    const running = this.#running();
    this.#current = running.find((server) => server.config === config);
    this.#current ??= await this.#start(configFor, config, new Set(running.map(({ port }) => port)), scope);
    return this.#current.port;
  }

  /** Whether the server that {@link serve} told of is still there. */
  isServing(): boolean {
    return this.#current !== undefined && isRunning(this.#current.process);
  }

  /** Ends the servers that were replaced a while ago. */
  async endRetired(scope: Scope): Promise<void> {
    const now = scope.clock.now();
    for (const server of this.#running()) {
      if (server.file === this.#current?.file) {
        // One that was replaced may have come back, and is replaced anew one day.
        this.#retired.delete(server.file);
        continue;
      }
      const since = this.#retired.get(server.file) ?? now;
      this.#retired.set(server.file, since);
      if (now - since >= drainMilliseconds) await this.#end(server, scope);
    }
  }

  /** Ends every server; idempotent. */
  async stop(scope: Scope): Promise<void> {
    await Promise.all(this.#running().map((server) => this.#end(server, scope)));
    rmSync(this.#folder, { recursive: true, force: true });
    this.#current = undefined;
  }

  async #start(
    configFor: (port: number) => string,
    config: string,
    taken: ReadonlySet<number>,
    scope: Scope,
  ): Promise<RunningServer> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (let port = firstPort; port <= lastPort; port++) {
      if (taken.has(port)) continue;
      const file = join(this.#folder, `${port}-${config}.pid`);
      // A file, not a pipe: a daemon killed before it has written all would leave a server of half a configuration.
      const configFile = join(this.#folder, "dnsmasq.conf");
      writeFileAtomically(configFile, configFor(port));
      const args = [`--conf-file=${configFile}`, `--pid-file=${file}`];
      try {
        // It goes into the background by itself, as soon as it listens; then it has read its configuration.
        await runCommand("dnsmasq", args, {}, scope);
      } catch (error) {
        if (scope.signal.aborted || !explain(error).includes("Address already in use")) throw error;
        continue;
      }
      const server = runningServer(this.#folder, `${port}-${config}.pid`);
      if (server !== undefined) return server;
    }
    throw new PeapodError("CommandFailed", "dnsmasq: no server could be started");
  }

  #running(): readonly RunningServer[] {
    return readFolderIfExists(this.#folder)
      .map((name) => runningServer(this.#folder, name))
      .filter((server) => server !== undefined);
  }

  async #end(server: RunningServer, scope: Scope): Promise<void> {
    signalProcess(server.process, "SIGTERM");
    for (let waited = 0; isRunning(server.process); waited += 20) {
      if (waited === endMilliseconds) signalProcess(server.process, "SIGKILL");
      await scope.clock.sleep(20, scope.signal);
    }
    rmSync(server.file, { force: true });
    this.#retired.delete(server.file);
  }
}

function runningServer(folder: string, name: string): RunningServer | undefined {
  const [, port, config = ""] = /^(\d+)-([0-9a-f]+)\.pid$/.exec(name) ?? [];
  if (port === undefined) return undefined;
  const file = join(folder, name);
  const process = identifyProcess(Number(readFileIfExists(file)));
  if (process === undefined || !isRunning(process)) return undefined;
  // Its number may be another process' by now.
  if (!commandLineOf(process.pid).includes(`--pid-file=${file}`)) return undefined;
  return { file, port: Number(port), config, process };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
