import { mkdirSync, readdirSync, rmdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { isGone, readFileIfExists, writeFileAtomically } from "../../host/files.ts";
import { type Layout, sandboxDir } from "../../host/layout.ts";
import { isRunning, type ProcessIdentity } from "../../host/processes.ts";
import type { Sandbox } from "../types.ts";

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

/** Every sandbox on disk, finished or not. Folders of which not even the intent was written are deleted. */
export function readRecords(layout: Layout): readonly SandboxRecord[] {
  const root = join(layout.runDir, "sandboxes");
  const records: SandboxRecord[] = [];
  for (const podUID of readFolder(root)) {
    const text = readFileIfExists(join(root, podUID, "sandbox.json"));
    if (text === undefined) rmSync(join(root, podUID), { recursive: true, force: true });
    else records.push(JSON.parse(text) as SandboxRecord);
  }
  return records;
}

/**
 * Deletes a sandbox's folder, the record last. Throws when something is still mounted below it: its files are
 * deleted by name, never what a mount shows.
 */
export function deleteRecord(layout: Layout, podUID: string): void {
  const folder = sandboxDir(layout, podUID);
  removeFolder(join(folder, "shm"));
  for (const file of readFolder(folder)) {
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
  const pins = [record.netns, record.ipcns, record.utsns].filter((path) => path !== undefined);
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

function readFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isGone(error)) return [];
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
