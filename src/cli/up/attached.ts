import { quietScope, type Scope } from "../../base/scope.ts";
import type { StoredPod } from "../../kube/types.ts";
import { deleteAndWait } from "../delete-and-wait.ts";
import type { ManifestedObject } from "../manifests.ts";
import type { Session } from "../session.ts";
import { applyManifests } from "./apply-manifests.ts";
import { followLogs } from "./follow-logs.ts";
import { reportUntilUp } from "./report-until-up.ts";

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
  try {
    for await (const pod of applyManifests(objects, options.replace, attached)) pods.push(pod);
    const ready = await reportUntilUp(pods, options.timeout, attached);
    if (ready === undefined) return 1;
    const ended = await Promise.all(
      [...Map.groupBy(ready, ({ metadata }) => metadata.namespace).values()].map((group) =>
        followLogs(session.client, group, session.terminal, attached.scope),
      ),
    );
    interrupted.signal.throwIfAborted();
    return ended.flat().some(({ status }) => status?.phase === "Failed") ? 1 : 0;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    await removePods(pods, session, forced.signal);
    return 130;
  }
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
