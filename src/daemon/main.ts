import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { systemClock } from "../base/clock.ts";
import { explain, PeapodError } from "../base/errors.ts";
import { yieldedExitCode } from "../base/exit-codes.ts";
import { type Scope, uncancelled } from "../base/scope.ts";
import { version } from "../base/version.ts";
import { holdCgroups } from "../host/cgroup-controllers.ts";
import { announceStop, claimDaemon, releaseDaemon } from "../host/daemon-lock.ts";
import { apiSocket } from "../host/layout.ts";
import { serviceRange } from "../network/services/service-range.ts";
import { registerNode } from "../node/node-object.ts";
import { startServiceProxy } from "../node/services/service-proxy.ts";
import { ensureKubernetesService, publishKubernetesEndpoints } from "../server/kubernetes-service.ts";
import { startServer } from "../server/server.ts";
import { openStore } from "../store/sqlite-store.ts";
import { type DaemonConfig, parseDaemonArguments } from "./config.ts";
import { startControllers } from "./controllers.ts";
import { startDiagnosisEvents } from "./diagnosis-events.ts";
import { imageLibrary } from "./image-library.ts";
import { keepFlags } from "./kept-flags.ts";
import { apiBackend, rememberPort, tlsAccess } from "./tls-access.ts";
import { loadTokenKey } from "./token-key.ts";
import { usageSource } from "./usage-source.ts";
import { wireNode } from "./wiring.ts";

/** Runs a node until SIGTERM or SIGINT. Containers go on after it ends, unless no pod is left. */
async function runDaemon(config: DaemonConfig): Promise<void> {
  const { layout } = config;
  mkdirSync(layout.stateDir, { recursive: true, mode: 0o700 });
  const other = claimDaemon(layout, version);
  if (other !== undefined) {
    process.stderr.write(`a node daemon already runs for ${layout.runDir} (pid ${other.pid})\n`);
    process.exitCode = yieldedExitCode;
    return;
  }

  const stopping = new AbortController();
  const lines = pino.destination(1);
  // A full disk costs lines of the log, not the node.
  lines.on("error", () => {});
  const log = pino({ level: config.logLevel, base: { node: layout.instance } }, lines);
  const scope: Scope = { log, signal: stopping.signal, clock: systemClock };
  const stopRequested = new Promise<string>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
  // A monitor or helper that ends while it is written to must not end the daemon.
  process.on("SIGPIPE", () => {});

  let ready = false;
  const store = openStore(join(layout.stateDir, "peapod.db"));
  const cgroups = await holdCgroups(scope);
  const tokenKey = loadTokenKey(layout);
  const node = await wireNode(config, store, tokenKey, scope);
  await node.network.start(scope);
  await node.runtime.start(scope);
  await node.services.start(scope);
  const found = { names: node.services.names(), obstacles: node.network.obstacles() };
  registerNode(store, node.description, found, scope);
  const range = serviceRange(node.network.hostSide()?.subnet, layout.instance);
  const tls = await tlsAccess(config, node.description, ensureKubernetesService(store, range), scope);
  const server = await startServer({
    ...(tls === undefined ? {} : { tls }),
    socketPath: apiSocket(layout),
    store,
    streams: node.agent.streams,
    channels: node.observer,
    images: imageLibrary(node.images),
    diagnoser: node.diagnoser,
    usage: usageSource(node.runtime),
    nodeName: node.description.name,
    tokenKey,
    serviceRange: range,
    ready: () => ready,
    version,
    scope,
  });
  if (server.port !== undefined) rememberPort(layout, server.port);
  publishKubernetesEndpoints(store, node.description.addresses[0], server.port);
  const apiServer = apiBackend(tls, server.port);
  if (node.network.hostSide() === undefined && apiServer?.ip === "127.0.0.1") {
    log.warn("pods of a CNI network don't reach the API on 127.0.0.1: see --api-address");
  }
  const serviceProxy = await startServiceProxy({ store, network: node.services, apiServer }, scope);
  await node.agent.start();
  const controllers = startControllers({ store, objects: server.objects }, scope);
  node.observer.start(scope);
  const diagnosisEvents = startDiagnosisEvents(
    { store, diagnoser: node.diagnoser, events: node.events },
    scope,
  );
  keepFlags(layout.stateDir, config.flags);
  ready = true;
  log.info({ pid: process.pid, socket: apiSocket(layout), version }, "node is ready");

  log.info({ signal: await stopRequested }, "node is stopping");
  ready = false;
  try {
    announceStop(layout);
  } catch (error) {
    log.warn({ error: explain(error) }, "the stop is not announced to clients");
  }
  await controllers.stop();
  await server.close();
  await diagnosisEvents.stop();
  await node.observer.stop();
  await node.agent.stop();
  await serviceProxy.stop();
  await node.runtime.stop();
  const remaining = store.list("pods").items.length;
  const last = uncancelled(scope);
  if (remaining === 0) {
    await node.services.stop(last);
    await node.network.stop(last);
  }
  await cgroups.release(last);
  stopping.abort(new Error("the node daemon has stopped"));
  store.close();
  releaseDaemon(layout);
  log.info({ remainingPods: remaining }, "node has stopped");
}

try {
  await runDaemon(parseDaemonArguments(process.argv.slice(2), process.env));
  process.exit();
} catch (error) {
  process.stderr.write(`peapod node daemon: ${explain(error)}\n`);
  if (!(error instanceof PeapodError) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exit(error instanceof PeapodError && error.code === "Usage" ? 2 : 1);
}
