import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PeapodError } from "../base/errors.ts";
import { type Scope, uncancelled } from "../base/scope.ts";
import { containerRunDir, containerStateDir, podLogsDir } from "../host/layout.ts";
import { commandLineOf, identifyProcess, processStat } from "../host/processes.ts";
import type { StoredContainer } from "./container-table.ts";
import { type RuntimeContext, runtimeOf } from "./context.ts";
import { discardContainer } from "./discard-container.ts";
import { hostDevices } from "./host-devices.ts";
import { createByMonitor } from "./monitor.ts";
import { withOwnedMounts } from "./owned-mounts.ts";
import { readRootfsFile } from "./rootfs-files.ts";
import { signalNumber } from "./signals.ts";
import { containerCgroup, ociSpec } from "./spec/config.ts";
import { terminationMessageFile } from "./termination-message.ts";
import type { ContainerConfig, ContainerRecord, Sandbox } from "./types.ts";

/** See `RuntimeService.createContainer`. */
export async function createContainer(
  context: RuntimeContext,
  id: string,
  sandbox: Sandbox,
  config: ContainerConfig,
  scope: Scope,
): Promise<ContainerRecord> {
  scope.signal.throwIfAborted();
  if (context.containers.get(id) !== undefined) {
    throw new PeapodError("AlreadyExists", `container ${id} exists`);
  }
  const intent = intendedContainer(context, id, sandbox, config, scope.clock.now());
  try {
    context.containers.save(intent);
    mkdirSync(containerRunDir(context.layout, id), { recursive: true, mode: 0o700 });
    mkdirSync(dirname(intent.record.logPath), { recursive: true, mode: 0o700 });
    const pid = await withOwnedMounts(
      context.layout,
      id,
      sandbox,
      config.mounts,
      (mounts) => createProcess(context, sandbox, { ...config, mounts }, intent),
      scope,
    );
    scope.signal.throwIfAborted();
    // The runtime has ended: whom it left its process to is the monitor, a subreaper, unless that was killed since.
    const parent = processStat(pid)?.parent;
    const isMonitor = parent !== undefined && commandLineOf(parent).includes(id);
    const created: StoredContainer = {
      ...intent,
      creating: false,
      record: { ...intent.record, pid },
      process: identifyProcess(pid),
      monitor: isMonitor ? identifyProcess(parent) : undefined,
    };
    context.containers.save(created);
    return created.record;
  } catch (error) {
    await discardContainer(context, id, intent.record, uncancelled(scope));
    if (error instanceof PeapodError || scope.signal.aborted) throw error;
    throw new PeapodError("CreateContainerError", `create container ${config.container.name}`, {
      cause: error,
    });
  }
}

/** Has a monitor create the container; returns the PID of its waiting process. */
async function createProcess(
  context: RuntimeContext,
  sandbox: Sandbox,
  config: ContainerConfig,
  { record: { id, logPath } }: StoredContainer,
): Promise<number> {
  const seccomp = writeBundle(context, id, sandbox, config);
  const { container } = config;
  const pid = await createByMonitor(context, {
    id,
    name: container.name,
    logPath,
    terminal: container.tty === true,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
  });
  runtimeOf(context, id).seccomp.learnFrom(id, seccomp);
  return pid;
}

/** Writes config.json; returns the seccomp profile, so that its compiled form can be kept. */
function writeBundle(context: RuntimeContext, id: string, sandbox: Sandbox, config: ContainerConfig) {
  const bundle = containerStateDir(context.layout, id);
  const messageFile = terminationMessageFile(context.layout, id);
  // Every user of the container may write it, whatever the daemon's own umask is.
  writeFileSync(messageFile, "");
  chmodSync(messageFile, 0o666);
  const owner = sandbox.userNamespace?.hostID;
  if (owner !== undefined) chownSync(messageFile, owner, owner);
  const spec = ociSpec({
    sandbox,
    config,
    machine: context.machine,
    userFiles: {
      passwd: readRootfsFile(config.rootfs, "/etc/passwd"),
      group: readRootfsFile(config.rootfs, "/etc/group"),
    },
    hostDevices,
    terminationMessageFile: messageFile,
  });
  const filters = runtimeOf(context, id).seccomp;
  const seccomp = filters.profileFor(config.pod.spec, config.container, spec.process.capabilities.bounding);
  const withSeccomp = filters.addTo(spec, seccomp);
  writeFileSync(join(bundle, "config.json"), JSON.stringify(withSeccomp), { mode: 0o600 });
  return seccomp;
}

function intendedContainer(
  context: RuntimeContext,
  id: string,
  sandbox: Sandbox,
  config: ContainerConfig,
  createdAt: number,
): StoredContainer {
  const { container, pod, image } = config;
  const { namespace, name, uid } = pod.metadata;
  const logFolder = join(podLogsDir(context.layout, { namespace, name, uid }), container.name);
  return {
    creating: true,
    bootID: context.bootID,
    process: undefined,
    monitor: undefined,
    startRequestedAt: undefined,
    stopSignal: stopSignal(config),
    runtime: context.runtimes.forHandler(sandbox.runtimeHandler).name,
    sharesProcesses: sandbox.pid !== undefined || pod.spec.hostPID === true || config.targetPID !== undefined,
    terminationMessagePolicy:
      container.terminationMessagePolicy === "FallbackToLogsOnError" ? "FallbackToLogsOnError" : "File",
    record: {
      id,
      podUID: uid,
      podNamespace: namespace,
      podName: name,
      name: container.name,
      attempt: config.attempt,
      imageID: image.id,
      imageReference: image.reference,
      imageDigest: image.digest,
      phase: "Created",
      pid: undefined,
      createdAt,
      startedAt: undefined,
      finishedAt: undefined,
      exitCode: undefined,
      reason: undefined,
      message: undefined,
      logPath: join(logFolder, `${config.attempt}.log`),
      cgroup: containerCgroup(sandbox, config),
      resources: container.resources ?? {},
    },
  };
}

/** The container's own stop signal, else the image's, else SIGTERM. */
function stopSignal({ container, image }: ContainerConfig): number {
  const asked = (container.lifecycle as { stopSignal?: string } | undefined)?.stopSignal ?? image.stopSignal;
  const terminate = 15;
  return (asked === undefined ? undefined : signalNumber(asked)) ?? terminate;
}
