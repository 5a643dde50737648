import { errorCode } from "../../base/errors.ts";
import { type Scope, uncancelled, withSignal } from "../../base/scope.ts";
import { pods, type ResourceType, workloadTypes } from "../../client/resources.ts";
import { matchesSelector } from "../../kube/match-selector.ts";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import type { ManifestedObject } from "../manifests.ts";
import { podSelectorOf } from "../pod-selector.ts";
import { removeWorkloads, type Workload } from "../remove-workloads.ts";
import { namespaceOf, type Session } from "../session.ts";
import { podVerdict } from "./pod-progress.ts";
import { hasFinished, isSettled } from "./workload-state.ts";

/** A workload as it was applied. */
export interface AppliedWorkload extends Workload {
  /** Uids of the pods of the namespace before: they may be in trouble just because of what is changed now. */
  readonly earlier: ReadonlySet<string>;
}

/** What of the manifests makes pods. */
export function workloadObjects(objects: readonly ManifestedObject[]): readonly ManifestedObject[] {
  return objects.filter((object) => typeOf(object) !== undefined);
}

function typeOf(object: ManifestedObject): ResourceType | undefined {
  const { apiVersion, kind } = object as unknown as KubernetesObject;
  return workloadTypes.find((type) => type.apiVersion === apiVersion && type.kind === kind);
}

/**
 * Makes the workload, or merges it into the one that is there; says what it did. With `replace`, and where it cannot be changed (a
 * Job's template), it is deleted with its pods and made anew.
 */
export async function applyWorkload(
  object: ManifestedObject,
  replace: boolean,
  session: Session,
): Promise<AppliedWorkload> {
  const { client, terminal, scope } = session;
  const type = typeOf(object) as ResourceType;
  const namespace = object.metadata?.namespace ?? namespaceOf(session);
  const name = object.metadata?.name ?? "";
  let earlier: ReadonlySet<string> = new Set();
  const finish = (change: string, applied: KubernetesObject): AppliedWorkload => {
    terminal.out(`${type.singular}/${name} ${change}\n`);
    return { type, object: applied, earlier: change === "unchanged" ? new Set() : earlier };
  };
  // Not to be broken off, as a pod's.
  const create = () => client.create(type, namespace, object, uncancelled(scope));
  try {
    return finish("created", await create());
  } catch (error) {
    if (errorCode(error) !== "AlreadyExists") throw error;
  }
  const before = await client.get(type, { namespace, name }, scope);
  const present = await client.list<StoredPod>(pods, { namespace }, scope);
  earlier = new Set(present.items.map(({ metadata }) => metadata.uid));
  if (!replace) {
    try {
      const after = await client.patch(type, { namespace, name }, object, scope);
      const isSame = before.metadata.resourceVersion === after.metadata.resourceVersion;
      return finish(isSame ? "unchanged" : "configured", after);
    } catch (error) {
      if (errorCode(error) !== "Invalid" || type.kind !== "Job") throw error;
    }
  }
  terminal.err(`${type.singular}/${name}: replacing it\n`);
  await client.delete(type, { namespace, name }, { propagationPolicy: "Foreground" }, scope);
  const selection = { namespace, fieldSelector: `metadata.name=${name}` };
  const { items, metadata } = await client.list(type, selection, scope);
  if (items.length > 0) {
    const { resourceVersion } = metadata;
    for await (const change of client.watch(type, { ...selection, resourceVersion }, scope)) {
      if (change.type === "DELETED") break;
    }
  }
  return finish("replaced", await create());
}

/** The workloads of the manifests that are there. */
export async function findWorkloads(
  objects: readonly ManifestedObject[],
  session: Session,
): Promise<Workload[]> {
  const { client, scope } = session;
  const found: Workload[] = [];
  for (const manifested of workloadObjects(objects)) {
    const type = typeOf(manifested) as ResourceType;
    const { name, namespace = namespaceOf(session) } = manifested.metadata ?? {};
    try {
      found.push({ type, object: await client.get(type, { namespace, name }, scope) });
    } catch (error) {
      if (errorCode(error) !== "NotFound") throw error;
    }
  }
  return found;
}

/** Deletes the workloads and returns the pods that they leave to be ended. */
export async function endWorkloads(workloads: readonly Workload[], session: Session): Promise<StoredPod[]> {
  const selected = selecting(workloads);
  await removeWorkloads(workloads, session);
  const { items } = await session.client.list<StoredPod>(pods, {}, session.scope);
  return items.filter(selected);
}

/** Says of a pod whether one of the workloads selects it. */
export function selecting(workloads: readonly Workload[]): (pod: StoredPod) => boolean {
  return ({ metadata }) =>
    workloads.some(
      ({ type, object }) =>
        object.metadata.namespace === metadata.namespace &&
        matchesSelector(podSelectorOf(type, object), metadata.labels),
    );
}

/**
 * Waits until the workload's pods are those of its newest template and as many as it wants, or one of them cannot
 * come up. Returns the pods; none of a CronJob or a suspended Job.
 */
export async function podsMadeBy(
  workload: AppliedWorkload,
  session: Session,
  outerScope: Scope,
): Promise<readonly StoredPod[]> {
  const { client } = session;
  const { type, object, earlier } = workload;
  if (type.kind === "CronJob" || (object.spec as { suspend?: boolean }).suspend === true) return [];
  const { namespace, name } = object.metadata;
  const done = new AbortController();
  const scope = withSignal(outerScope, done.signal);
  const isOwn = selecting([workload]);
  const look = async (): Promise<readonly StoredPod[] | undefined> => {
    const current = await client.get(type, { namespace, name }, scope);
    const { items } = await client.list<StoredPod>(pods, { namespace }, scope);
    const own = items.filter((pod) => isOwn(pod) && pod.metadata.deletionTimestamp === undefined);
    if (type.kind === "Job") {
      const useful = own.filter(({ status }) => status?.phase !== "Failed");
      return hasFinished(current) ? own : useful.length > 0 ? useful : undefined;
    }
    const young = own.filter(({ metadata }) => !earlier.has(metadata.uid));
    const hopeless = young.filter((pod) => podVerdict(pod).state === "failed");
    return hopeless.length > 0 ? hopeless : isSettled(type.kind, current) ? own : undefined;
  };
  const follow = async (followed: ResourceType) => {
    for await (const _ of client.watch(followed, { namespace }, scope)) {
      const found = await look();
      if (found !== undefined) return found;
    }
    return undefined;
  };
  try {
    const found = (await look()) ?? (await Promise.race([follow(type), follow(pods)]));
    outerScope.signal.throwIfAborted();
    return found ?? [];
  } finally {
    done.abort();
  }
}
