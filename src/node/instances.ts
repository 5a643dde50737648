import type { ContainerRecord, Sandbox } from "../runtime/types.ts";

/** All instances of one container of a pod, the newest first. */
export function instancesOf(records: readonly ContainerRecord[], name: string): ContainerRecord[] {
  return records.filter((record) => record.name === name).sort((a, b) => b.attempt - a.attempt);
}

/** The newest instance of one container of a pod. */
export function latestInstance(
  records: readonly ContainerRecord[],
  name: string,
): ContainerRecord | undefined {
  return instancesOf(records, name)[0];
}

/** The cgroup that holds all instances of a container: it stays the same over restarts. */
export function containerCgroup(sandbox: Sandbox, name: string): string {
  return `${sandbox.cgroup}/${name}`;
}
