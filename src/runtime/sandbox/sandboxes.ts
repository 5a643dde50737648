import { chownSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
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
import { type PodCgroupAmounts, podCgroupAmounts } from "../../kube/cgroup-amounts.ts";
import { allocationFor, type PodAllocation } from "../../kube/pod-allocation.ts";
import { hostnameFor } from "../../kube/pod-files.ts";
import type { StoredPod } from "../../kube/types.ts";
import { defaultProgram, handlerProgram, unknownHandler } from "../oci-runtimes.ts";
import type { Sandbox } from "../types.ts";
import { amountSettings, podCgroupSettings } from "./pod-cgroup.ts";
import { removeOwnedRootfs, startSandboxProcess } from "./sandbox-process.ts";
import {
  deleteRecord,
  isComplete,
  isGrantKnown,
  newRecord,
  readRecords,
  type SandboxRecord,
  toSandbox,
  writeRecord,
} from "./sandbox-record.ts";
import { readSubordinateIDs, requireUserNamespaces } from "./user-namespace-support.ts";
import { chooseUserRange } from "./user-ranges.ts";

/** The sandboxes of one node: the part of the runtime service that makes what a pod's containers share. */
export interface Sandboxes {
  /** As `RuntimeService.createSandbox`. Throws FailedCreatePodSandBox and leaves nothing behind then. */
  create(pod: StoredPod, runtimeHandler: string | undefined, scope: Scope): Promise<Sandbox>;
  /** As `RuntimeService.writeSandboxFiles`. */
  writeFiles(sandbox: Sandbox, files: { hosts: string; hostname: string; resolvConf: string }): void;
  /** As `RuntimeService.removeSandbox`; also of a sandbox that was only half made. */
  remove(podUID: string, scope: Scope): Promise<void>;
  /** As `RuntimeService.allocate`. */
  allocate(podUID: string, allocation: PodAllocation): void;
  /** As `RuntimeService.adopt`, for the pod's sandbox. */
  adopt(pod: StoredPod): void;
  /** As `RuntimeService.resizeSandbox`. */
  resize(podUID: string, amounts: Partial<PodCgroupAmounts>): void;
  /** Every sandbox on this machine, half-made ones too. */
  list(): readonly Sandbox[];
}

/**
 * Reads what earlier daemons left. `runtime` is the node's choice of an OCI runtime, as `RuntimeOptions` has it: it
 * starts the process which keeps a shared process namespace.
 */
export function createSandboxes(options: {
  layout: Layout;
  runtime?: string;
  /** Most processes and threads of one pod; absent: no limit. */
  podMaxPIDs?: number | undefined;
}): Sandboxes {
  return new PinnedSandboxes(options.layout, options.runtime, options.podMaxPIDs);
}

class PinnedSandboxes implements Sandboxes {
  readonly #layout: Layout;
  readonly #choice: string | undefined;
  readonly #podMaxPIDs: number | undefined;
  readonly #records = new Map<string, SandboxRecord>();

  constructor(layout: Layout, choice: string | undefined, podMaxPIDs: number | undefined) {
    this.#layout = layout;
    this.#choice = choice;
    this.#podMaxPIDs = podMaxPIDs;
    for (const record of readRecords(layout)) this.#records.set(record.podUID, record);
  }

  async create(pod: StoredPod, runtimeHandler: string | undefined, scope: Scope): Promise<Sandbox> {
    const { uid } = pod.metadata;
    const existing = this.#records.get(uid);
    if (existing !== undefined && isComplete(existing)) return toSandbox(existing);
    try {
      if (existing !== undefined) await this.remove(uid, scope);
      return await this.#make(pod, runtimeHandler, existing, scope);
    } catch (error) {
      await this.remove(uid, uncancelled(scope)).catch((undo: unknown) => {
        scope.log.warn({ pod: uid, error: explain(undo) }, "half-made sandbox is not removed yet");
      });
      throw new PeapodError("FailedCreatePodSandBox", `pod sandbox: ${explain(error)}`, { cause: error });
    }
  }

  writeFiles(sandbox: Sandbox, files: { hosts: string; hostname: string; resolvConf: string }): void {
    const owner = sandbox.userNamespace?.hostID;
    for (const name of ["hosts", "hostname", "resolvConf"] as const) {
      // In place: containers have these very files mounted.
      writeFileSync(sandbox.files[name], files[name], { mode: 0o644 });
      if (owner !== undefined) chownSync(sandbox.files[name], owner, owner);
    }
  }

  async remove(podUID: string, scope: Scope): Promise<void> {
    const folder = sandboxDir(this.#layout, podUID);
    const cgroup = podCgroup(this.#layout, podUID);
    if (cgroupExists(cgroup)) {
      await killAll(cgroup, scope);
      await removeCgroup(cgroup, scope);
    }
    await unpinNamespaces(
      ["net", "ipc", "uts", "user"].map((name) => join(folder, name)),
      scope,
    );
    await unmount(join(folder, "shm"), { detach: true }, scope);
    deleteRecord(this.#layout, podUID);
    removeOwnedRootfs(this.#layout, podUID);
    this.#records.delete(podUID);
    if (this.#records.size === 0) removeEmptyCgroup(`/${this.#layout.instance}`);
  }

  allocate(podUID: string, allocated: PodAllocation): void {
    const record = this.#records.get(podUID);
    if (record !== undefined) this.#put({ ...record, allocated });
  }

  adopt(pod: StoredPod): void {
    const record = this.#records.get(pod.metadata.uid);
    if (record === undefined || isGrantKnown(record)) return;
    this.#put({ ...record, allocated: allocationFor(pod), applied: podCgroupAmounts(pod) });
  }

  resize(podUID: string, amounts: Partial<PodCgroupAmounts>): void {
    const record = this.#records.get(podUID);
    if (record === undefined) return;
    for (const { controller, file, value } of amountSettings(amounts, cgroupMode())) {
      try {
        writeCgroupSetting(record.cgroup, controller, file, value);
      } catch (error) {
        throw new PeapodError("SystemCallFailed", `write ${value} to ${file}: ${explain(error)}`, {
          cause: error,
        });
      }
    }
    this.#put({ ...record, applied: { ...record.applied, ...amounts } });
  }

  list(): readonly Sandbox[] {
    return [...this.#records.values()].map(toSandbox);
  }

  async #make(
    pod: StoredPod,
    runtimeHandler: string | undefined,
    previous: SandboxRecord | undefined,
    scope: Scope,
  ): Promise<Sandbox> {
    const program =
      runtimeHandler === undefined
        ? defaultProgram(this.#choice)
        : handlerProgram(runtimeHandler, this.#choice);
    if (program === undefined) throw unknownHandler(runtimeHandler ?? "");
    const record: SandboxRecord = {
      ...newRecord(
        this.#layout,
        { podUID: pod.metadata.uid, namespace: pod.metadata.namespace, name: pod.metadata.name },
        { ...ownNamespaces(pod), firstUser: this.#firstUser(pod, previous), runtimeHandler },
        scope.clock.now(),
      ),
      allocated: allocationFor(pod),
      applied: podCgroupAmounts(pod),
    };
    this.#put(record);
    makeCgroup(record.cgroup, scope);
    for (const { controller, file, value } of podCgroupSettings(pod, cgroupMode())) {
      writeCgroupSetting(record.cgroup, controller, file, value);
    }
    if (this.#podMaxPIDs !== undefined) {
      writeCgroupSetting(record.cgroup, "pids", "pids.max", String(this.#podMaxPIDs));
    }
    await mountSharedMemory(pod, record, scope);
    const hostname = record.utsns === undefined ? undefined : hostnameFor(pod);
    const pins = { net: record.netns, ipc: record.ipcns, uts: record.utsns };
    await pinNamespaces({ ...pins, hostname, user: record.userNamespace }, scope);
    // Pod sysctls (securityContext.sysctls) belong here: into the new namespaces, before anything runs in them.
    const process =
      pod.spec.shareProcessNamespace === true
        ? await startSandboxProcess(program, this.#layout, record, scope)
        : undefined;
    const ready: SandboxRecord = { ...record, state: "ready", process };
    this.#put(ready);
    return toSandbox(ready);
  }

  /** Persisted with the record, before anything has these users; the same again for a sandbox that is made anew. */
  #firstUser(pod: StoredPod, previous: SandboxRecord | undefined): number | undefined {
    if (pod.spec.hostUsers !== false) return undefined;
    requireUserNamespaces();
    const taken = new Set(
      [...this.#records.values()].flatMap((record) => record.userNamespace?.hostID ?? []),
    );
    const before = previous?.userNamespace?.hostID;
    if (before !== undefined && !taken.has(before)) return before;
    return chooseUserRange(taken, this.#layout.instance, readSubordinateIDs());
  }

  #put(record: SandboxRecord): void {
    writeRecord(this.#layout, record);
    this.#records.set(record.podUID, record);
  }
}

/** A pod in the host's network has the host's name too, as with the kubelet. */
function ownNamespaces({ spec }: StoredPod): { net: boolean; ipc: boolean; uts: boolean } {
  const net = spec.hostNetwork !== true;
  return { net, ipc: spec.hostIPC !== true, uts: net };
}

/** 64 MiB as container engines have it; with hostIPC the host's own, which belongs to the host's IPC namespace. */
async function mountSharedMemory(pod: StoredPod, record: SandboxRecord, scope: Scope): Promise<void> {
  const target = record.shm;
  const root = record.userNamespace?.hostID;
  mkdirSync(target, { mode: 0o1777 });
  if (pod.spec.hostIPC === true) {
    await bindMount("/dev/shm", target, [], scope);
  } else {
    const options = ["nosuid", "nodev", "noexec", "mode=1777", "size=65536k"];
    if (root !== undefined) options.push(`uid=${root}`, `gid=${root}`);
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
