import { explain, PeapodError } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import type { StoredPod, Volume } from "../../kube/types.ts";
import type { Sandbox } from "../../runtime/types.ts";
import type { VolumeContent, VolumeFile } from "../../volumes/types.ts";
import { claimedFolder } from "../claims/claimed-folder.ts";
import type { AgentDependencies } from "../dependencies.ts";
import { imageFolder } from "./image-folder.ts";
import { objectsIn } from "./sources.ts";
import { volumeFiles } from "./volume-files.ts";

/**
 * What the volumes of a pod show that cannot be made of its specification alone, by volume name. Throws FailedMount
 * with the kubelet's words, which name the volume.
 */
export async function volumeContents(
  pod: StoredPod,
  sandbox: Promise<Sandbox>,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<ReadonlyMap<string, VolumeContent>> {
  const contents = new Map<string, VolumeContent>();
  for (const volume of pod.spec.volumes ?? []) {
    const content = await contentOf(pod, volume, sandbox, dependencies, scope);
    if (content !== undefined) contents.set(volume.name, content);
  }
  return contents;
}

/** Brings the files of a running pod's volumes up to date. What cannot be had any more stays as it was: FailedMount. */
export function refreshVolumes(pod: StoredPod, dependencies: AgentDependencies, scope: Scope): void {
  for (const volume of pod.spec.volumes ?? []) {
    const files = filesOf(pod, volume, dependencies, scope);
    if (files !== undefined) dependencies.volumes.update(pod, volume.name, files);
  }
}

async function contentOf(
  pod: StoredPod,
  volume: Volume,
  sandbox: Promise<Sandbox>,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<VolumeContent | undefined> {
  const files = filesOf(pod, volume, dependencies, scope);
  if (files !== undefined) return { files };
  try {
    const claimed = claimedFolder(pod, volume, dependencies);
    if (claimed !== undefined || volume.image === undefined) return claimed;
    const owner = pod.spec.hostUsers === false ? (await sandbox).userNamespace : undefined;
    return await imageFolder(pod, volume, owner, dependencies, scope);
  } catch (error) {
    if (scope.signal.aborted) throw error;
    throw failedMount(volume, error);
  }
}

function filesOf(
  pod: StoredPod,
  volume: Volume,
  { store, allocatable, tokens }: AgentDependencies,
  scope: Scope,
): ReadonlyMap<string, VolumeFile> | undefined {
  const now = scope.clock.now();
  try {
    return volumeFiles(pod, volume, {
      objects: objectsIn(pod.metadata.namespace, store),
      allocatable,
      token: (audience, expirationSeconds) => tokens.tokenFor(pod, audience, expirationSeconds, now),
    });
  } catch (error) {
    throw failedMount(volume, error);
  }
}

function failedMount(volume: Volume, error: unknown): PeapodError {
  const message = `MountVolume.SetUp failed for volume "${volume.name}" : ${explain(error)}`;
  return new PeapodError("FailedMount", message, { cause: error });
}
