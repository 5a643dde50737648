import { quietScope, type Scope } from "../../base/scope.ts";
import type { StoredPod } from "../../kube/types.ts";
import { deleteAndWait } from "../delete-and-wait.ts";
import type { ManifestedObject } from "../manifests.ts";
import type { Session } from "../session.ts";
import { applyManifests } from "./apply-manifests.ts";
import { failureLine } from "./explain-failure.ts";
import { followLogs } from "./follow-logs.ts";
import { podVerdict } from "./pod-progress.ts";
import { reportUntilUp } from "./report-until-up.ts";

/** How long the last lines of pods that are gone may take to arrive. */
const lastLinesMilliseconds = 1_000;

/**
 * `up` without -d: applies, waits, prints the logs until the pods have ended. Ctrl-C removes the pods and waits for
 * it; the second Ctrl-C removes them without a grace period, the third gives up. Returns the exit code.
 */
export async function runAttached(
  objects: readonly ManifestedObject[],
  options: { readonly replace: boolean; readonly timeout: number | undefined },
  session: Session,
): Promise<number> {
  const interrupted = new AbortController();
  const forced = new AbortController();
  session.interrupts.take((count) => {
    if (count === 1) interrupted.abort(new DOMException("interrupted", "AbortError"));
    else if (count === 2) forced.abort();
    else process.exit(130);
  });
  const attached: Session = { ...session, scope: quietScope(interrupted.signal) };
  const pods: StoredPod[] = [];
  const leaving = new AbortController();
  let following: Promise<StoredPod[]> = Promise.resolve([]);
  try {
    for await (const pod of applyManifests(objects, options.replace, attached)) pods.push(pod);
    const ready = await reportUntilUp(pods, options.timeout, attached);
    if (ready === undefined) return 1;
    // Not ended by Ctrl-C: what containers write while they are stopped is often what one wants to see.
    following = followAll(ready, session, leaving.signal);
    const ended = await Promise.race([following, whenAborted(interrupted.signal)]);
    interrupted.signal.throwIfAborted();
    return reportFailures(ended ?? [], session) ? 1 : 0;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    await removePods(pods, session, forced.signal);
    const lastLines = following.catch(() => {});
    await Promise.race([lastLines, session.scope.clock.sleep(lastLinesMilliseconds, session.scope.signal)]);
    return 130;
  } finally {
    leaving.abort();
  }
}

async function followAll(
  pods: readonly StoredPod[],
  { client, terminal }: Session,
  signal: AbortSignal,
): Promise<StoredPod[]> {
  const groups = [...Map.groupBy(pods, ({ metadata }) => metadata.namespace).values()];
  const ended = await Promise.all(
    groups.map((group) => followLogs(client, group, terminal, quietScope(signal))),
  );
  return ended.flat();
}

function whenAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

/** Says of every pod that failed why; its log has just been printed. */
function reportFailures(pods: readonly StoredPod[], { terminal }: Session): boolean {
  let failed = false;
  for (const pod of pods) {
    const verdict = podVerdict(pod);
    if (pod.status?.phase !== "Failed" || verdict.state !== "failed") continue;
    failed = true;
    terminal.err(failureLine(pod, verdict));
  }
  return failed;
}

async function removePods(pods: readonly StoredPod[], session: Session, forced: AbortSignal): Promise<void> {
  const { client, terminal } = session;
  terminal.err(`\nremoving ${pods.length} ${pods.length === 1 ? "pod" : "pods"} (Ctrl-C again: at once)\n`);
  const onGone = ({ metadata }: { metadata: { name: string } }) =>
    terminal.out(`pod "${metadata.name}" deleted\n`);
  const scope: Scope = quietScope();
  const removal = deleteAndWait(client, pods, { onGone }, scope);
  const force = async () => {
    await deleteAndWait(client, pods, { gracePeriodSeconds: 0 }, scope);
  };
  forced.addEventListener("abort", () => void force().catch(() => {}), { once: true });
  await removal;
}
