import type { StoredPod } from "../../kube/types.ts";
import { withDeadline } from "../deadline.ts";
import type { Session } from "../session.ts";
import type { Applied } from "./apply-manifests.ts";
import { createProgressDisplay } from "./progress-display.ts";
import { waitUntilUp } from "./wait-until-up.ts";

/** Waits for what has been applied: pods, and the pods that workloads make. Returns all of them when they are up. */
export async function reportAppliedUntilUp(
  applied: readonly Applied[],
  timeout: number | undefined,
  session: Session,
): Promise<StoredPod[] | undefined> {
  const own = applied.flatMap((each) => ("pod" in each ? [each.pod] : []));
  const workloads = applied.flatMap((each) => ("workload" in each ? [each.workload] : []));
  if (workloads.length === 0) return reportUntilUp(own, timeout, session);
  const { podsMadeBy } = await import("./workloads.ts");
  const names = workloads.map(({ type, object }) => `${type.singular}/${object.metadata.name}`).join(", ");
  const made = await withDeadline(timeout, `${names} to have its pods`, session.scope, (scope) =>
    Promise.all(workloads.map((workload) => podsMadeBy(workload, session, scope))),
  );
  const all = new Map([...own, ...made.flat()].map((pod) => [pod.metadata.uid, pod]));
  return all.size === 0 ? [] : reportUntilUp([...all.values()], timeout, session);
}

/**
 * Waits for the pods with progress shown, and says what became of each. Returns them as they are then, or undefined
 * when not all came up.
 */
async function reportUntilUp(
  pods: readonly StoredPod[],
  timeout: number | undefined,
  session: Session,
): Promise<StoredPod[] | undefined> {
  const { client, terminal } = session;
  const display = createProgressDisplay(terminal);
  const names = pods.map(({ metadata }) => `pod/${metadata.name}`).join(", ");
  try {
    const waited = await withDeadline(timeout, `${names} to become ready`, session.scope, async (scope) => {
      const byNamespace = Map.groupBy(pods, ({ metadata }) => metadata.namespace);
      const groups = [...byNamespace.values()].map((group) => waitUntilUp(client, group, display, scope));
      return (await Promise.all(groups)).flat();
    });
    display.close();
    let allUp = true;
    for (const entry of waited) {
      const { state } = entry.verdict;
      if (state === "ready" || state === "succeeded") {
        terminal.out(`pod/${entry.pod.metadata.name} ${state}\n`);
        continue;
      }
      allUp = false;
      const { explainFailure } = await import("./explain-failure.ts");
      terminal.err(await explainFailure(client, entry, session.scope));
    }
    if (!allUp)
      terminal.err(
        "nothing was removed: 'peapod why POD' says more, 'peapod down' with the same -f removes it\n",
      );
    return allUp ? waited.map(({ pod }) => pod) : undefined;
  } finally {
    display.close();
  }
}
