import { quietScope, type Scope, whenAborted } from "../../base/scope.ts";
import type { StoredPod } from "../../kube/types.ts";
import { deleteAndWait } from "../delete-and-wait.ts";
import type { ManifestedObject } from "../manifests.ts";
import type { Workload } from "../remove-workloads.ts";
import type { Session } from "../session.ts";
import { type Applied, applyManifests } from "./apply-manifests.ts";
import { removeObject, supportingObjects } from "./apply-object.ts";
import { failureLine } from "./explain-failure.ts";
import { jobFailure, untilOver } from "./follow-jobs.ts";
import { followLogs } from "./follow-logs.ts";
import { podVerdict } from "./pod-progress.ts";
import { reportAppliedUntilUp } from "./report-until-up.ts";
import { endWorkloads, selecting } from "./workloads.ts";

/** How long the last lines of pods that are gone may take to arrive. */
const lastLinesMilliseconds = 1_000;

/**
 * `up` without -d: applies, waits, prints the logs until the pods have ended. Ctrl-C removes what was applied, as down does, and waits for
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
  const applied: Applied[] = [];
  const workloads = () => applied.flatMap((each) => ("workload" in each ? [each.workload] : []));
  const leaving = new AbortController();
  let following: Promise<StoredPod[]> = Promise.resolve([]);
  try {
    for await (const each of applyManifests(objects, options.replace, attached)) {
      applied.push(each);
      interrupted.signal.throwIfAborted();
    }
    const ready = await reportAppliedUntilUp(applied, options.timeout, attached);
    if (ready === undefined) return 1;
    const jobs = untilOver(workloads(), session, quietScope(leaving.signal));
    const over = new AbortController();
    jobs.then(() => over.abort()).catch(() => {});
    // Not ended by Ctrl-C: what containers write while they are stopped is often what one wants to see.
    following = followAll(ready, workloads(), over.signal, session, leaving.signal);
    const ended = await Promise.race([following, whenAborted(interrupted.signal)]);
    interrupted.signal.throwIfAborted();
    const finished = await Promise.race([jobs, whenAborted(interrupted.signal)]);
    interrupted.signal.throwIfAborted();
    const failures = (finished ?? []).map(jobFailure).filter((line) => line !== undefined);
    for (const line of failures) session.terminal.err(line);
    // A Job's pods may fail as long as the Job does not.
    const isOwn = selecting(workloads());
    const bare = (ended ?? []).filter((pod) => !isOwn(pod));
    return reportFailures(bare, session) || failures.length > 0 ? 1 : 0;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    const own = applied.flatMap((each) => ("pod" in each ? [each.pod] : []));
    const made =
      workloads().length === 0 ? [] : await endWorkloads(workloads(), { ...session, scope: quietScope() });
    await removePods([...own, ...made], session, forced.signal);
    const inPeace: Session = { ...session, scope: quietScope() };
    for (const object of supportingObjects(objects)) await removeObject(object, inPeace);
    const lastLines = following.catch(() => {});
    await Promise.race([lastLines, session.scope.clock.sleep(lastLinesMilliseconds, session.scope.signal)]);
    return 130;
  } finally {
    leaving.abort();
  }
}

async function followAll(
  pods: readonly StoredPod[],
  workloads: readonly Workload[],
  over: AbortSignal,
  { client, terminal }: Session,
  signal: AbortSignal,
): Promise<StoredPod[]> {
  const groups = [...Map.groupBy(pods, ({ metadata }) => metadata.namespace).values()];
  const later = workloads.length === 0 ? undefined : { selects: selecting(workloads), over };
  const ended = await Promise.all(
    groups.map((group) => followLogs(client, group, terminal, quietScope(signal), later)),
  );
  return ended.flat();
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
  whenAborted(forced)
    .then(force)
    .catch(() => {});
  await removal;
}
