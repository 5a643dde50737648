import { explain } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { podOfImageFolder } from "./configuration/image-folder.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { removePod } from "./terminate-pod.ts";

/**
 * Removes everything that drivers still hold for pods which the API does not know: what a daemon left that was
 * killed half-way, or whose pods were deleted while none ran. To be called before any pod is worked on. Failures are
 * logged; {@link sweepPods} tries again.
 */
export async function sweep(
  knownPods: ReadonlySet<string>,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  const { runtime, images } = dependencies;
  await sweepPods(() => knownPods, dependencies, scope);
  const containers = new Set(runtime.listContainers().map((record) => record.id));
  for (const id of images.listRootfs()) {
    const pod = podOfImageFolder(id);
    if (pod === undefined ? containers.has(id) : knownPods.has(pod)) continue;
    await images.removeRootfs(id, scope).catch((error) => {
      scope.log.error({ container: id, error: explain(error) }, "stray root file system not removed");
    });
  }
}

/** The pods' part of {@link sweep}, at any time: `knownPods` are those of the API and those that are worked on. */
export async function sweepPods(
  knownPods: () => ReadonlySet<string>,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  const { runtime, network, volumes } = dependencies;
  const strays = new Map<string, { namespace: string; name: string; uid: string }>();
  for (const uid of [...network.list(), ...volumes.list()]) {
    strays.set(uid, { namespace: "", name: "", uid });
  }
  for (const pod of runtime.listLogs()) strays.set(pod.uid, pod);
  for (const { podUID, namespace, name } of runtime.listSandboxes()) {
    strays.set(podUID, { namespace, name, uid: podUID });
  }
  for (const record of runtime.listContainers()) {
    const { podUID, podNamespace, podName } = record;
    strays.set(podUID, { namespace: podNamespace, name: podName, uid: podUID });
  }
  for (const uid of knownPods()) strays.delete(uid);
  for (const [uid, pod] of strays) {
    scope.log.info({ pod: `${pod.namespace}/${pod.name}`, uid }, "removing what a deleted pod left");
    await removePod(pod, dependencies, scope).catch((error) => {
      scope.log.error({ uid, error: explain(error) }, "stray pod not removed");
    });
  }
}
