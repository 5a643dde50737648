import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { explain, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { cgroupUsage } from "../host/cgroup-usage.ts";
import { readFolderIfExists } from "../host/files.ts";
import {
  containerRunDir,
  containerStateDir,
  exitsDir,
  type Layout,
  logsDir,
  podLogsDir,
  sandboxDir,
} from "../host/layout.ts";
import { connectInNamespace } from "../host/namespace-connection.ts";
import { bootID } from "../host/processes.ts";
import { attach } from "./attach.ts";
import { ContainerTable } from "./container-table.ts";
import type { RuntimeContext } from "./context.ts";
import { createContainer } from "./create-container.ts";
import { exec } from "./exec.ts";
import { ExitWatcher } from "./exit-watcher.ts";
import { rotatedLogs } from "./logs/log-files.ts";
import { logWriterState } from "./logs/log-writer-state.ts";
import { readLog } from "./logs/read-log.ts";
import { isMonitorGone, kubeletRotationLimits, type RotationLimits, rotateLog } from "./logs/rotate-log.ts";
import { hasMountAttributes, readMachine } from "./machine.ts";
import { findProgram, runtimeRoot } from "./oci-runtime.ts";
import { findRuntimes } from "./oci-runtimes.ts";
import { reconstruct } from "./reconstruct.ts";
import { relistContainers } from "./relist.ts";
import { removeContainer } from "./remove-container.ts";
import { resizeContainer } from "./resize-container.ts";
import type { Sandboxes } from "./sandbox/sandboxes.ts";
import { userNamespaceProblem } from "./sandbox/user-namespace-support.ts";
import { startContainer } from "./start-container.ts";
import { ContainerStops } from "./stop-container.ts";
import type { RuntimeService } from "./types.ts";

export interface RuntimeOptions {
  readonly layout: Layout;
  /** `crun`, `runc` or an absolute path; absent: crun, else runc. */
  readonly runtime?: string;
  readonly sandboxes: Sandboxes;
  /** When logs are rotated and how many files of each stay. Default: the kubelet's. */
  readonly logRotation?: RotationLimits;
  readonly scope: Scope;
}

export { newContainerID } from "./container-id.ts";

/**
 * The runtime service of a node. Makes nothing yet; `start` takes over what earlier daemons left. Throws
 * ServiceUnavailable when the OCI runtime or conmon is not installed.
 */
export async function createRuntime(options: RuntimeOptions): Promise<RuntimeService> {
  const { layout, sandboxes } = options;
  const monitor = findProgram("conmon");
  if (monitor === undefined) throw new PeapodError("ServiceUnavailable", "conmon is not installed");
  const machine = readMachine();
  const containers = new ContainerTable(layout);
  const runtimes = await findRuntimes(options.runtime, layout, machine.architecture, options.scope);
  const context: RuntimeContext = {
    layout,
    runtimes,
    monitor,
    machine,
    bootID: bootID(),
    containers,
  };
  const stops = new ContainerStops(context);
  const exits = new ExitWatcher(context);

  return {
    createSandbox: (pod, runtimeHandler, scope) => sandboxes.create(pod, runtimeHandler, scope),
    writeSandboxFiles: (sandbox, files) => sandboxes.writeFiles(sandbox, files),
    listSandboxes: () => sandboxes.list(),
    removeSandbox: (podUID, scope) => sandboxes.remove(podUID, scope),
    allocate: (podUID, allocation) => sandboxes.allocate(podUID, allocation),
    adopt(pod) {
      sandboxes.adopt(pod);
      containers.adopt(pod);
    },
    resizeSandbox: (podUID, amounts) => sandboxes.resize(podUID, amounts),

    createContainer: (id, sandbox, config, scope) => createContainer(context, id, sandbox, config, scope),
    startContainer: (id, scope) => startContainer(context, id, scope),
    stopContainer: (id, graceSeconds, scope) => stops.stop(id, graceSeconds, scope),
    removeContainer: (id, scope) => removeContainer(context, stops, id, scope),
    resizeContainer: (id, resources, scope) => resizeContainer(context, id, resources, scope),
    memoryInUse: (cgroup) => cgroupUsage(cgroup)?.workingSetBytes,
    listContainers: () =>
      containers
        .all()
        .filter(({ creating }) => !creating)
        .map(({ record }) => record),
    getContainer(id) {
      const stored = containers.get(id);
      return stored === undefined || stored.creating ? undefined : stored.record;
    },

    exec: async (id, request, scope) => exec(context, id, request, scope),
    attach: async (id, request, scope) => attach(context, id, request, scope),
    connectToPort: (sandbox, port, scope) => connectInNamespace(sandbox.netns, port, scope),
    readLog(record, logOptions, scope) {
      return readLog(record.logPath, logOptions, logWriterState(containers, record.id), scope);
    },
    async rotateLogs(scope) {
      for (const { record } of containers.all()) {
        if (record.phase !== "Running") continue;
        const controlFIFO = join(containerStateDir(layout, record.id), "ctl");
        try {
          await rotateLog(record.logPath, controlFIFO, options.logRotation ?? kubeletRotationLimits, scope);
        } catch (error) {
          if (scope.signal.aborted) throw error;
          if (isMonitorGone(error)) continue;
          scope.log.warn({ container: record.id, error: explain(error) }, "log not rotated");
        }
      }
    },
    listLogs: () =>
      readFolderIfExists(logsDir(layout)).map((folder) => {
        const [namespace = "", name = "", uid = ""] = folder.split("_");
        return { namespace, name, uid };
      }),
    removeLogs: (pod) => rmSync(podLogsDir(layout, pod), { recursive: true, force: true }),
    removeContainerLog(record) {
      for (const path of [record.logPath, ...rotatedLogs(record.logPath)]) rmSync(path, { force: true });
    },

    onContainerChange: (listener) => containers.onChange(listener),
    relist: (scope) => relistContainers(context, scope),
    async start(scope) {
      exits.start(scope);
      await reconstruct(context, scope);
    },
    async stop() {
      await exits.stop();
      if (containers.all().length === 0) removeRuntimeFolders(layout);
    },
    version: () => ({ name: runtimes.default.name, version: runtimes.default.version }),
    handlers() {
      const features = {
        recursiveReadOnlyMounts: hasMountAttributes(machine),
        userNamespaces: userNamespaceProblem() === undefined,
      };
      return ["", ...runtimes.handlers()].map((name) => ({ name, features }));
    },
  };
}

/** What containers have in common under the run folder; removed when the last container is gone. */
function removeRuntimeFolders(layout: Layout): void {
  const sandboxes = dirname(sandboxDir(layout, "any"));
  if (existsSync(sandboxes) && readdirSync(sandboxes).length === 0) rmdirSync(sandboxes);
  for (const folder of [exitsDir(layout), dirname(containerRunDir(layout, "any")), runtimeRoot(layout)]) {
    rmSync(folder, { recursive: true, force: true });
  }
}
