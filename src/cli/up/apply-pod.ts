import { isDeepStrictEqual } from "node:util";
import { errorCode } from "../../base/errors.ts";
import { type Scope, uncancelled } from "../../base/scope.ts";
import type { Client } from "../../client/client.ts";
import { pods } from "../../client/resources.ts";
import type { Pod, StoredPod } from "../../kube/types.ts";
import { deleteAndWait } from "../delete-and-wait.ts";

/** The annotation in which kubectl apply keeps what it applied, so that both tools agree on what changed. */
const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

/** What became of a manifest's pod. */
export interface AppliedPod {
  readonly pod: StoredPod;
  readonly change: "created" | "unchanged" | "replaced";
}

/**
 * Brings one pod into being as the manifest says. A pod of that name made from an equal manifest is left as it
 * is (unless `replace`); another is deleted, waited for and created anew, since a pod's spec can't be changed in
 * place. Idempotent. `onReplace` is called before the deletion.
 */
export async function applyPod(
  client: Client,
  manifest: Pod,
  options: { namespace: string; replace: boolean; onReplace: (pod: StoredPod, hasChanged: boolean) => void },
  scope: Scope,
): Promise<AppliedPod> {
  const { namespace } = options;
  const wanted = withLastApplied(manifest, namespace);
  // Not to be broken off: nobody would know then whether there is a pod to be removed.
  const create = () => client.create<StoredPod>(pods, namespace, wanted, uncancelled(scope));
  try {
    return { pod: await create(), change: "created" };
  } catch (error) {
    if (errorCode(error) !== "AlreadyExists") throw error;
  }
  const current = await client.get<StoredPod>(pods, { namespace, name: manifest.metadata?.name }, scope);
  const hasChanged = !isSame(current, wanted);
  if (!options.replace && current.metadata.deletionTimestamp === undefined && !hasChanged) {
    return { pod: current, change: "unchanged" };
  }
  options.onReplace(current, hasChanged);
  await deleteAndWait(client, [current], {}, scope);
  return { pod: await create(), change: "replaced" };
}

function withLastApplied(manifest: Pod, namespace: string): Pod {
  const { [lastAppliedAnnotation]: _old, ...annotations } = manifest.metadata?.annotations ?? {};
  const metadata = { ...manifest.metadata, namespace, annotations };
  const applied = `${JSON.stringify({ ...manifest, metadata })}\n`;
  return {
    ...manifest,
    metadata: { ...metadata, annotations: { ...annotations, [lastAppliedAnnotation]: applied } },
  };
}

function isSame(current: StoredPod, wanted: Pod): boolean {
  const before = current.metadata.annotations?.[lastAppliedAnnotation];
  const after = wanted.metadata?.annotations?.[lastAppliedAnnotation];
  // Without the annotation (kubectl create, run) there is no telling what was meant: then it counts as changed.
  if (before === undefined || after === undefined) return false;
  try {
    return isDeepStrictEqual(JSON.parse(before), JSON.parse(after));
  } catch {
    return false;
  }
}
