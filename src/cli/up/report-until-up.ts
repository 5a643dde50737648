import type { StoredPod } from "../../kube/types.ts";
import { withDeadline } from "../deadline.ts";
import type { Session } from "../session.ts";
import { createProgressDisplay } from "./progress-display.ts";
import { waitUntilUp } from "./wait-until-up.ts";

/**
 * Waits for the pods with progress shown, and says what became of each. Returns them as they are then, or undefined
 * when not all came up.
 */
export async function reportUntilUp(
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
      terminal.err("nothing was removed: look with 'peapod describe pod', remove with 'peapod down'\n");
    return allUp ? waited.map(({ pod }) => pod) : undefined;
  } finally {
    display.close();
  }
}
