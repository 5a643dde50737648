import { mkdirSync, rmdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { isGone, readFileIfExists, readFolderIfExists, writeFileAtomically } from "../../host/files.ts";
import { type Layout, podCgroup, sandboxDir } from "../../host/layout.ts";
import { isRunning, type ProcessIdentity } from "../../host/processes.ts";
import type { Sandbox } from "../types.ts";
import { rangeSize } from "./user-ranges.ts";

/** What `sandbox.json` holds: written before anything is made, again when all of it is there. */
export interface SandboxRecord extends Omit<Sandbox, "pid"> {
  readonly state: "creating" | "ready";
  /** The process that keeps a shared process namespace. */
  readonly process: ProcessIdentity | undefined;
}

/** Writes the record; the first time, its folder appears together with it. */
export function writeRecord(layout: Layout, record: SandboxRecord): void {
  const folder = sandboxDir(layout, record.podUID);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileAtomically(join(folder, "sandbox.json"), JSON.stringify(record));
}

/** What records of versions lack that knew no resizing; {@link isGrantKnown} tells. */
const missingGrant = { allocated: { generation: 0, containers: {} }, applied: { cpuShares: 0 } };

/** Whether the record says what its pod was granted: generations of pods begin with 1. */
export function isGrantKnown({ allocated }: Pick<SandboxRecord, "allocated">): boolean {
  return allocated.generation > 0;
}

/**
 * Every sandbox on disk, finished or not. One whose record is missing or torn counts as half made: what may be
 * mounted in its folder is not to be deleted with it.
 */
export function readRecords(layout: Layout): readonly SandboxRecord[] {
  return readFolderIfExists(join(layout.runDir, "sandboxes")).map((podUID) => {
    const text = readFileIfExists(join(sandboxDir(layout, podUID), "sandbox.json")) ?? "";
    try {
      return { ...missingGrant, ...(JSON.parse(text) as SandboxRecord) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return newRecord(layout, { podUID, namespace: "", name: "" }, {}, 0);
    }
  });
}

/** The record of a sandbox that is going to be made, with the namespaces that are not the host's. */
export function newRecord(
  layout: Layout,
  pod: { podUID: string; namespace: string; name: string },
  own: {
    net?: boolean;
    ipc?: boolean;
    uts?: boolean;
    firstUser?: number | undefined;
    runtimeHandler?: string | undefined;
  },
  createdAt: number,
): SandboxRecord {
  const folder = sandboxDir(layout, pod.podUID);
  return {
    ...pod,
    state: "creating",
    process: undefined,
    netns: own.net === true ? join(folder, "net") : undefined,
    ipcns: own.ipc === true ? join(folder, "ipc") : undefined,
    utsns: own.uts === true ? join(folder, "uts") : undefined,
    runtimeHandler: own.runtimeHandler,
    userNamespace:
      own.firstUser === undefined
        ? undefined
        : { path: join(folder, "user"), hostID: own.firstUser, size: rangeSize },
    shm: join(folder, "shm"),
    files: {
      hosts: join(folder, "hosts"),
      hostname: join(folder, "hostname"),
      resolvConf: join(folder, "resolv.conf"),
    },
    cgroup: podCgroup(layout, pod.podUID),
    ...missingGrant,
    createdAt,
  };
}

/**
 * Deletes a sandbox's folder, the record last. Throws when something is still mounted below it: its files are
 * deleted by name, never what a mount shows.
 */
export function deleteRecord(layout: Layout, podUID: string): void {
  const folder = sandboxDir(layout, podUID);
  removeFolder(join(folder, "shm"));
  for (const file of readFolderIfExists(folder)) {
    if (file !== "sandbox.json" && file !== "process") rmSync(join(folder, file), { force: true });
  }
  rmSync(join(folder, "process"), { recursive: true, force: true });
  rmSync(join(folder, "sandbox.json"), { force: true });
  removeFolder(folder);
}

const nsfsMagic = 0x6e736673;
const tmpfsMagic = 0x01021994;

/** Whether everything that the record names is there; a reboot, for one, takes all of it but the files. */
export function isComplete(record: SandboxRecord): boolean {
  const pins = [record.netns, record.ipcns, record.utsns, record.userNamespace?.path].filter(
    (path) => path !== undefined,
  );
  return (
    record.state === "ready" &&
    pins.every((path) => fileSystemOf(path) === nsfsMagic) &&
    fileSystemOf(record.shm) === tmpfsMagic &&
    (record.process === undefined || isRunning(record.process))
  );
}

/** The record as the contract has it. */
export function toSandbox({ state: _, process, ...record }: SandboxRecord): Sandbox {
  return {
    ...record,
    netns: record.netns,
    ipcns: record.ipcns,
    utsns: record.utsns,
    runtimeHandler: record.runtimeHandler,
    userNamespace: record.userNamespace,
    pid: process !== undefined && isRunning(process) ? process.pid : undefined,
  };
}

function fileSystemOf(path: string): number | undefined {
  try {
    return statfsSync(path).type;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
