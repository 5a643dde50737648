import { dirname } from "node:path";
import type { Scope } from "../base/scope.ts";
import { amountsOf, podAmounts } from "../kube/pod-resources.ts";
import type { StoredPod } from "../kube/types.ts";
import type { AgentDependencies } from "./dependencies.ts";

const resource = "ephemeral-storage";

/** What a pod's parts use of this machine's disk, in bytes. */
export interface DiskUse {
  /** By container: its writable layer and its logs. */
  readonly containers: ReadonlyMap<string, number>;
  /** Of all emptyDir volumes on disk together. */
  readonly volumes: number;
}

/** Whether any container of the pod limits what it may use of the disk. */
export function limitsStorage({ spec }: StoredPod): boolean {
  return podAmounts(spec, "limits").has(resource);
}

/**
 * Why a pod has to go for what it uses of the disk, in the kubelet's words: together more than the limits of all its
 * containers, or one container more than its own; undefined while it keeps to them. Pure
 * (https://kubernetes.io/docs/concepts/storage/ephemeral-storage/).
 */
export function storageExcess({ spec }: StoredPod, use: DiskUse): string | undefined {
  const total = podAmounts(spec, "limits").get(resource) ?? 0n;
  const used = [...use.containers.values()].reduce((sum, bytes) => sum + bytes, use.volumes);
  if (total > 0n && BigInt(used) > total) {
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${total}. `;
  }
  for (const { name, resources } of spec.containers) {
    const limit = amountsOf(resources?.limits).get(resource) ?? 0n;
    if (limit === 0n || BigInt(use.containers.get(name) ?? 0) <= limit) continue;
    return `Container ${name} exceeded its local ephemeral storage limit "${resources?.limits?.[resource]}". `;
  }
  return undefined;
}

/** Measures a pod, within the time that measuring may take: what was not measured counts as nothing. */
export async function diskUse(
  pod: StoredPod,
  { runtime, images, volumes }: AgentDependencies,
  scope: Scope,
): Promise<DiskUse> {
  const records = runtime.listContainers().filter(({ podUID }) => podUID === pod.metadata.uid);
  const folders = new Map<string, string[]>();
  for (const { id, name, logPath } of records) {
    const own = folders.get(name) ?? [dirname(logPath)];
    folders.set(name, [...own, images.writableFolder(id)]);
  }
  const emptyDirs = [...volumes.find(pod).values()]
    .filter(({ name, medium }) => medium === "disk" && isEmptyDir(pod, name))
    .map(({ hostPath }) => hostPath);
  const measured = await volumes.measure([...[...folders.values()].flat(), ...emptyDirs], scope);
  const sum = (paths: readonly string[]) =>
    paths.reduce((bytes, path) => bytes + (measured.get(path) ?? 0), 0);
  return {
    containers: new Map([...folders].map(([name, paths]) => [name, sum(paths)])),
    volumes: sum(emptyDirs),
  };
}

function isEmptyDir({ spec }: StoredPod, name: string): boolean {
  return spec.volumes?.some((volume) => volume.name === name && volume.emptyDir !== undefined) ?? false;
}
