import { errorCode, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { StoredPod } from "../kube/types.ts";
import type { Client, LogQuery } from "./client.ts";
import { LogPlace } from "./log-place.ts";
import { pods } from "./resources.ts";

/** The log of one instance of a container. */
export interface FollowedLog {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** From its status; undefined: whichever runs. */
  readonly containerID: string | undefined;
}

const firstPauseMilliseconds = 50;
const longestPauseMilliseconds = 1_000;
/** A connection that was there for so long did not break for anything in the log. */
const lastingMilliseconds = 1_000;
/** How long the server may be away: as long as for a watch. */
const patienceMilliseconds = 15_000;

/**
 * The bytes of the container's log as they come, until it has ended. A connection that breaks is made anew, and the log
 * goes on at the byte where it broke off: each line comes out once. A container that was started again meanwhile is
 * another one: of the old one the rest is read. `NodeUnreachable` when the server stays away; the server's refusals are
 * thrown.
 */
export async function* followLog(
  client: Pick<Client, "get" | "log">,
  source: FollowedLog,
  query: LogQuery,
  scope: Scope,
): AsyncGenerator<Buffer, void, undefined> {
  const { namespace, pod, container } = source;
  if (query.limitBytes !== undefined) {
    // The server counts: what it would count after a break is not what was asked for.
    yield* await client.log(namespace, pod, { ...query, container, follow: true }, scope);
    return;
  }
  const place = new LogPlace({ keepTimes: query.timestamps === true });
  const openedAt = new Date(scope.clock.now()).toISOString();
  const first: LogQuery = {
    ...query,
    container,
    // The status names the current instance, which is not the one that is asked for then.
    containerID: query.previous === true ? undefined : source.containerID,
    follow: true,
    timestamps: true,
  };
  let pause = firstPauseMilliseconds;
  let brokenSince: number | undefined;
  for (;;) {
    let connectedAt: number | undefined;
    try {
      let asked = first;
      if (brokenSince !== undefined) {
        const whichOne = await instanceQuery(client, source, query.previous === true, scope);
        if (whichOne === undefined) return;
        asked = { ...queryAfterBreak(first, place.time, openedAt), ...whichOne };
        place.resume();
      }
      const chunks = await client.log(namespace, pod, asked, scope);
      connectedAt = scope.clock.now();
      for await (const chunk of chunks) {
        // What had come before the break comes again, also from a log that can't be read any further.
        for (const news of place.take(chunk)) {
          brokenSince = undefined;
          pause = firstPauseMilliseconds;
          yield news;
        }
      }
      return;
    } catch (error) {
      const code = errorCode(error);
      const isBroken = code === "NodeUnreachable" || code === "ServiceUnavailable";
      if (scope.signal.aborted || !isBroken) throw error;
      const now = scope.clock.now();
      // A container may have nothing to say for long; a log that can't be read breaks at once each time.
      if (connectedAt !== undefined && now - connectedAt > lastingMilliseconds) brokenSince = undefined;
      brokenSince ??= now;
      if (now - brokenSince >= patienceMilliseconds) {
        throw new PeapodError("NodeUnreachable", "the node daemon went away", { cause: error });
      }
    }
    await scope.clock.sleep(pause, scope.signal);
    pause = Math.min(2 * pause, longestPauseMilliseconds);
  }
}

/** Begins at the last line that came; as long as none has, as before, but misses none that was written meanwhile. */
function queryAfterBreak(first: LogQuery, time: string | undefined, openedAt: string): LogQuery {
  const { tailLines: _tail, sinceSeconds: _since, ...rest } = first;
  if (time !== undefined) return { ...rest, sinceTime: time };
  return first.tailLines === 0 ? { ...rest, sinceTime: openedAt } : first;
}

/** How to ask for this instance's log now; undefined when it can't be had any more. */
async function instanceQuery(
  client: Pick<Client, "get">,
  { namespace, pod: name, container, containerID }: FollowedLog,
  isPrevious: boolean,
  scope: Scope,
): Promise<LogQuery | undefined> {
  if (containerID === undefined) return {};
  const { status } = await client.get<StoredPod>(pods, { namespace, name }, scope);
  const found = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find((each) => each.name === container);
  if (found?.containerID === containerID) return {};
  // Another one is the previous one by now.
  if (isPrevious) return undefined;
  return found?.lastState?.terminated?.containerID === containerID
    ? { previous: true, follow: false }
    : undefined;
}
