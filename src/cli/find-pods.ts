import { PeapodError } from "../base/errors.ts";
import { pods, workloadTypes } from "../client/resources.ts";
import { matchesSelector } from "../kube/match-selector.ts";
import { isPodReady } from "../kube/pod-phase.ts";
import type { KubernetesObject, StoredPod } from "../kube/types.ts";
import { pairs } from "./describe/outline.ts";
import { usageError } from "./parse-arguments.ts";
import { podSelectorOf } from "./pod-selector.ts";
import { namespaceOf, type Session } from "./session.ts";
import type { Terminal } from "./terminal.ts";
import { parseTypeAndNames } from "./type-arguments.ts";

/** Pods that an argument means, and what they were found by when it is not a pod's own name. */
export interface FoundPods {
  /** At least one; those that are of most use come first: ready, then running, then not yet ended; older ones before younger. */
  readonly items: readonly [StoredPod, ...StoredPod[]];
  /** The Deployment, Service or the like that was named. */
  readonly by?: KubernetesObject;
}

/**
 * The pods that `NAME`, `pod/NAME`, `deployment/NAME` (or whatever else makes pods) or `service/NAME` means. Throws Usage for
 * another type, NotFound when there is no such object, or none of its pods.
 */
export async function findPods(arg: string, session: Session): Promise<FoundPods> {
  const { client, scope } = session;
  const namespace = namespaceOf(session);
  const byName = async (name: string) =>
    ({ items: [await client.get<StoredPod>(pods, { namespace, name }, scope)] }) as const;
  if (!arg.includes("/")) return byName(arg);
  const { type, names } = await parseTypeAndNames([arg], session);
  const [name = ""] = names;
  if (type.kind === "Pod") return byName(name);
  const isWorkload = workloadTypes.some(
    ({ kind, apiVersion }) => kind === type.kind && apiVersion === type.apiVersion,
  );
  const isService = type.kind === "Service" && type.apiVersion === "v1";
  if (!isWorkload && !isService) {
    throw usageError(`"${arg}" is neither a pod nor something that makes or selects pods`);
  }
  const by = await client.get(type, { namespace, name }, scope);
  const selector = podSelectorOf(type, by);
  if (selector === undefined) {
    const hint = type.kind === "CronJob" ? "name one of its jobs ('peapod get jobs')" : "it has no selector";
    throw new PeapodError("NotFound", `${type.singular}/${name} selects no pods itself: ${hint}`);
  }
  const { items } = await client.list<StoredPod>(pods, { namespace }, scope);
  const [first, ...others] = items
    .filter(({ metadata }) => matchesSelector(selector, metadata.labels))
    .sort((a, b) => usefulness(b) - usefulness(a) || age(a) - age(b));
  if (first === undefined) {
    const see = isService
      ? `${pairs(selector.matchLabels).join(",")} (compare 'peapod get pods --show-labels')`
      : `see 'peapod describe ${type.singular}/${name}'`;
    throw new PeapodError(
      "NotFound",
      `${type.singular}/${name} ${isService ? "selects" : "has"} no pods: ${see}`,
    );
  }
  return { items: [first, ...others], by };
}

/** The most useful of the pods; says which that is when there was a choice, as kubectl does. */
export async function findPod(
  arg: string,
  session: Session,
  terminal: Pick<Terminal, "err"> = session.terminal,
): Promise<StoredPod> {
  const { items } = await findPods(arg, session);
  if (items.length > 1) terminal.err(`Found ${items.length} pods, using pod/${items[0].metadata.name}\n`);
  return items[0];
}

function usefulness(pod: StoredPod): number {
  const isLeaving = pod.metadata.deletionTimestamp !== undefined;
  const hasRun = ["Pending", "Running"].indexOf(pod.status?.phase ?? "") + 1;
  return (isLeaving ? 0 : 8) + (isPodReady(pod) ? 4 : 0) + hasRun;
}

function age({ metadata }: StoredPod): number {
  return Date.parse(metadata.creationTimestamp ?? "");
}
