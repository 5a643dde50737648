import { errorCode } from "../../base/errors.ts";
import { type Scope, whenAborted, withSignal } from "../../base/scope.ts";
import type { Client } from "../../client/client.ts";
import { type FollowedLog, followLog } from "../../client/follow-log.ts";
import { splitLines } from "../../client/lines.ts";
import { pods } from "../../client/resources.ts";
import { isEndedPhase } from "../../kube/pod-phase.ts";
import type { StoredPod } from "../../kube/types.ts";
import { type Style, styled, type Terminal } from "../terminal.ts";
import { isNews, lowestVersion } from "./wait-until-up.ts";

const containerStyles: readonly Style[] = ["cyan", "yellow", "green", "magenta", "blue", "red"];

const retryMilliseconds = 200;

/** Pods that come later, of workloads. */
export interface LaterPods {
  readonly selects: (pod: StoredPod) => boolean;
  /** Aborts when none will come any more. */
  readonly over: AbortSignal;
}

/**
 * Prints the logs of all containers as `[pod container] line`, each container in a colour of its own and again after
 * each restart, until every pod has ended or is deleted and no `later` ones come, or the signal aborts. Returns the pods' last states.
 */
export async function followLogs(
  client: Client,
  targets: readonly StoredPod[],
  terminal: Terminal,
  scope: Scope,
  later?: LaterPods,
): Promise<StoredPod[]> {
  const namespace = targets[0]?.metadata.namespace ?? "default";
  const done = new AbortController();
  const inner = withSignal(scope, done.signal);
  const current = new Map(targets.map((pod) => [pod.metadata.uid, pod]));
  const running = new Set(current.keys());
  const streams: Promise<void>[] = [];
  const followed = new Set<string>();
  const colours = new Map<string, Style>();

  const look = (pod: StoredPod) => {
    current.set(pod.metadata.uid, pod);
    for (const status of [
      ...(pod.status?.initContainerStatuses ?? []),
      ...(pod.status?.containerStatuses ?? []),
    ]) {
      // A waiting container still names its last instance, which has been followed already.
      const id =
        status.state?.running === undefined ? status.state?.terminated?.containerID : status.containerID;
      if (id === undefined || followed.has(id)) continue;
      followed.add(id);
      const key = `${pod.metadata.name} ${status.name}`;
      const style = colours.get(key) ?? containerStyles[colours.size % containerStyles.length] ?? "cyan";
      colours.set(key, style);
      const prefix = styled(terminal, style, `[${key}]`);
      const { namespace, name } = pod.metadata;
      const source = { namespace, pod: name, container: status.name, containerID: id };
      streams.push(printLog(client, source, prefix, terminal, scope));
    }
    if (isEndedPhase(pod.status?.phase)) running.delete(pod.metadata.uid);
  };

  const take = (pod: StoredPod) => {
    const { uid } = pod.metadata;
    if (!current.has(uid)) {
      if (later?.selects(pod) !== true) return;
      running.add(uid);
    }
    if (isNews(pod, current.get(uid))) look(pod);
  };

  for (const pod of targets) look(pod);
  const since = lowestVersion(targets);
  let isComplete = later === undefined;
  const isDone = () => running.size === 0 && isComplete;
  const completing = later === undefined ? Promise.resolve() : complete(later.over);
  // The end of what makes the pods is told by another connection than the pods: the last of them may not have come yet.
  async function complete(over: AbortSignal): Promise<void> {
    await whenAborted(AbortSignal.any([over, inner.signal]));
    while (!isComplete && !inner.signal.aborted) {
      try {
        const { items } = await client.list<StoredPod>(pods, { namespace }, inner);
        // What has not changed since then is of an earlier run: the watch does not tell of it either.
        const isRecent = ({ metadata }: StoredPod) => Number(metadata.resourceVersion) > Number(since);
        for (const pod of items.filter(isRecent)) take(pod);
        isComplete = true;
      } catch (error) {
        if (inner.signal.aborted) return;
        const code = errorCode(error);
        if (code !== "NodeUnreachable" && code !== "ServiceUnavailable") {
          done.abort();
          throw error;
        }
        // Whether the daemon comes back is the watch's to say.
        await scope.clock.sleep(retryMilliseconds, inner.signal).catch(() => {});
      }
    }
    if (isDone()) done.abort();
  }
  completing.catch(() => {});
  try {
    for await (const { type, object } of isDone()
      ? []
      : client.watch<StoredPod>(pods, { namespace, resourceVersion: since }, inner)) {
      if (type === "DELETED") running.delete(object.metadata.uid);
      else take(object);
      if (isDone()) break;
    }
  } finally {
    done.abort();
    await completing;
  }
  await Promise.all(streams);
  return [...current.values()];
}

async function printLog(
  client: Client,
  source: FollowedLog,
  prefix: string,
  terminal: Terminal,
  scope: Scope,
): Promise<void> {
  try {
    const chunks = followLog(client, source, {}, scope);
    for await (const line of splitLines(chunks)) terminal.out(`${prefix} ${line}\n`);
  } catch (error) {
    if (scope.signal.aborted) return;
    // The container is gone again, or the daemon is: the watch of the pods says which.
    const code = errorCode(error);
    if (code !== "NodeUnreachable" && code !== "NotFound" && code !== "BadRequest") throw error;
  }
}
