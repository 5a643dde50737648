import { kubernetesTime } from "../base/clock.ts";
import type { Scope } from "../base/scope.ts";
import type { KubernetesNode } from "../kube/types.ts";
import type { FirewallObstacle } from "../network/types.ts";
import type { Store } from "../store/types.ts";

type Condition = NonNullable<NonNullable<KubernetesNode["status"]>["conditions"]>[number];

const type = "NetworkUnavailable";

/**
 * Kubernetes' condition of a node whose network does not do what pods need: here, that somebody else's firewall drops
 * their packets. `now` in Kubernetes' form.
 */
export function networkCondition(obstacles: readonly FirewallObstacle[], now: string): Condition {
  const times = { lastHeartbeatTime: now, lastTransitionTime: now };
  return obstacles.length === 0
    ? {
        type,
        status: "False",
        reason: "PodsPassFirewalls",
        message: "no firewall drops what pods send",
        ...times,
      }
    : {
        type,
        status: "True",
        reason: "ForeignFirewall",
        message: obstacles.map(obstacleText).join("; "),
        ...times,
      };
}

/** A sentence about the chain that names the way out. */
function obstacleText({ chain, reason, drops, remedy }: FirewallObstacle): string {
  return `nftables chain ${chain} (${reason}) drops ${drops.join(" and ")}; to let pods pass: ${remedy.join("; ")}`;
}

/** Makes the Node object's condition say so, if it does not yet. */
export function reportNetwork(
  store: Store,
  nodeName: string,
  obstacles: readonly FirewallObstacle[],
  scope: Scope,
): void {
  const key = { resource: "nodes", namespace: "", name: nodeName };
  const wanted = networkCondition(obstacles, kubernetesTime(scope.clock.now()));
  const { status } = store.get(key) as KubernetesNode;
  const before = status?.conditions?.find((condition) => condition.type === type);
  if (before?.status === wanted.status && before.message === wanted.message) return;
  const since = before?.status === wanted.status ? before.lastTransitionTime : wanted.lastTransitionTime;
  store.update(key, (current) => {
    const node = current as KubernetesNode & typeof current;
    const others = (node.status?.conditions ?? []).filter((condition) => condition.type !== type);
    return {
      ...node,
      status: { ...node.status, conditions: [{ ...wanted, lastTransitionTime: since }, ...others] },
    };
  });
}
