import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { explain, PeapodError, systemErrorCode } from "../../base/errors.ts";
import { type Scope, uncancelled } from "../../base/scope.ts";
import { makeCgroup } from "../../host/cgroup-delegation.ts";
import {
  cgroupExists,
  cgroupHierarchies,
  cgroupMode,
  killAll,
  removeCgroup,
  writeCgroupSetting,
} from "../../host/cgroups.ts";
import { isGone } from "../../host/files.ts";
import { type Layout, podCgroup, sandboxDir } from "../../host/layout.ts";
import { bindMount, mount, unmount } from "../../host/mounts.ts";
import { pinNamespaces, unpinNamespaces } from "../../host/namespaces.ts";
import { hostnameFor } from "../../kube/pod-files.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { Sandbox } from "../types.ts";
import { podCgroupSettings } from "./pod-cgroup.ts";
import { startSandboxProcess } from "./sandbox-process.ts";
import {
  deleteRecord,
  isComplete,
  newRecord,
  readRecords,
  type SandboxRecord,
  toSandbox,
  writeRecord,
} from "./sandbox-record.ts";

/** The sandboxes of one node: the part of the runtime service that makes what a pod's containers share. */
export interface Sandboxes {
  /** As `RuntimeService.createSandbox`. Throws FailedCreatePodSandBox and leaves nothing behind then. */
  create(pod: StoredPod, scope: Scope): Promise<Sandbox>;
  /** As `RuntimeService.writeSandboxFiles`. */
  writeFiles(sandbox: Sandbox, files: { hosts: string; hostname: string; resolvConf: string }): void;
  /** As `RuntimeService.removeSandbox`; also of a sandbox that was only half made. */
  remove(podUID: string, scope: Scope): Promise<void>;
  /** Every sandbox on this machine, half-made ones too. */
  list(): readonly Sandbox[];
}

/**
 * Reads what earlier daemons left. `ociRuntime` is the command that starts the process which keeps a shared process
 * namespace (default: crun).
 */
export function createSandboxes(options: { layout: Layout; ociRuntime?: string }): Sandboxes {
  return new PinnedSandboxes(options.layout, options.ociRuntime ?? "crun");
}

class PinnedSandboxes implements Sandboxes {
  readonly #layout: Layout;
  readonly #ociRuntime: string;
  readonly #records = new Map<string, SandboxRecord>();

  constructor(layout: Layout, ociRuntime: string) {
    this.#layout = layout;
    this.#ociRuntime = ociRuntime;
    for (const record of readRecords(layout)) this.#records.set(record.podUID, record);
  }

  async create(pod: StoredPod, scope: Scope): Promise<Sandbox> {
    const { uid } = pod.metadata;
    const existing = this.#records.get(uid);
    if (existing !== undefined && isComplete(existing)) return toSandbox(existing);
    try {
      if (existing !== undefined) await this.remove(uid, scope);
      return await this.#make(pod, scope);
    } catch (error) {
      await this.remove(uid, uncancelled(scope)).catch((undo: unknown) => {
        scope.log.warn({ pod: uid, error: explain(undo) }, "half-made sandbox is not removed yet");
      });
      throw new PeapodError("FailedCreatePodSandBox", `pod sandbox: ${explain(error)}`, { cause: error });
    }
  }

  writeFiles(sandbox: Sandbox, files: { hosts: string; hostname: string; resolvConf: string }): void {
    // In place: containers have these very files mounted.
    writeFileSync(sandbox.files.hosts, files.hosts, { mode: 0o644 });
    writeFileSync(sandbox.files.hostname, files.hostname, { mode: 0o644 });
    writeFileSync(sandbox.files.resolvConf, files.resolvConf, { mode: 0o644 });
  }

  async remove(podUID: string, scope: Scope): Promise<void> {
    const folder = sandboxDir(this.#layout, podUID);
    const cgroup = podCgroup(this.#layout, podUID);
    if (cgroupExists(cgroup)) {
      await killAll(cgroup, scope);
      await removeCgroup(cgroup, scope);
    }
    await unpinNamespaces(
      ["net", "ipc", "uts"].map((name) => join(folder, name)),
      scope,
    );
    await unmount(join(folder, "shm"), { detach: true }, scope);
    deleteRecord(this.#layout, podUID);
    this.#records.delete(podUID);
    if (this.#records.size === 0) removeEmptyCgroup(`/${this.#layout.instance}`);
  }

  list(): readonly Sandbox[] {
    return [...this.#records.values()].map(toSandbox);
  }

  async #make(pod: StoredPod, scope: Scope): Promise<Sandbox> {
    const record = plan(this.#layout, pod, scope.clock.now());
    this.#put(record);
    makeCgroup(record.cgroup, scope);
    for (const { controller, file, value } of podCgroupSettings(pod, cgroupMode())) {
      writeCgroupSetting(record.cgroup, controller, file, value);
    }
    await mountSharedMemory(pod, record.shm, scope);
    const hostname = record.utsns === undefined ? undefined : hostnameFor(pod);
    const pins = { net: record.netns, ipc: record.ipcns, uts: record.utsns };
    await pinNamespaces({ ...pins, hostname }, scope);
    // Pod sysctls (securityContext.sysctls) belong here: into the new namespaces, before anything runs in them.
    const process =
      pod.spec.shareProcessNamespace === true
        ? await startSandboxProcess(this.#ociRuntime, sandboxDir(this.#layout, record.podUID), record, scope)
        : undefined;
    const ready: SandboxRecord = { ...record, state: "ready", process };
    this.#put(ready);
    return toSandbox(ready);
  }

  #put(record: SandboxRecord): void {
    writeRecord(this.#layout, record);
    this.#records.set(record.podUID, record);
  }
}

/** A pod in the host's network has the host's name too, as with the kubelet. */
function plan(layout: Layout, pod: StoredPod, now: number): SandboxRecord {
  const { uid, namespace, name } = pod.metadata;
  const net = pod.spec.hostNetwork !== true;
  const ipc = pod.spec.hostIPC !== true;
  return newRecord(layout, { podUID: uid, namespace, name }, { net, ipc, uts: net }, now);
}

/** 64 MiB as container engines have it; with hostIPC the host's own, which belongs to the host's IPC namespace. */
async function mountSharedMemory(pod: StoredPod, target: string, scope: Scope): Promise<void> {
  mkdirSync(target, { mode: 0o1777 });
  if (pod.spec.hostIPC === true) {
    await bindMount("/dev/shm", target, [], scope);
  } else {
    const options = ["nosuid", "nodev", "noexec", "mode=1777", "size=65536k"];
    await mount({ type: "tmpfs", source: "shm", target, options }, scope);
  }
}

/** The cgroup above all pods goes with the last one, unless something else is in it. */
function removeEmptyCgroup(cgroup: string): void {
  for (const hierarchy of cgroupHierarchies()) {
    try {
      rmdirSync(join(hierarchy, cgroup));
    } catch (error) {
      const code = systemErrorCode(error) ?? "";
      if (!isGone(error) && !["EBUSY", "ENOTEMPTY"].includes(code)) throw error;
    }
  }
}
