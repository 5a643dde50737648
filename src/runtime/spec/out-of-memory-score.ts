import { podQOSClass } from "../../kube/pod-qos.ts";
import type { Container, StoredPod } from "../../kube/types.ts";
import { bytes } from "./resources.ts";

const guaranteedScore = -997;
const bestEffortScore = 1000;

/**
 * How willingly the kernel kills the container when the whole machine runs out of memory (proc_pid_oom_score_adj(5)),
 * as the kubelet computes it (its pkg/kubelet/qos/policy.go): the less a Burstable container asks for, the
 * sooner. `lowest` is what the daemon may give: without CAP_SYS_RESOURCE not less than its own.
 */
export function outOfMemoryScore(
  pod: StoredPod,
  container: Container,
  memoryCapacity: number,
  lowest: number,
): number {
  return Math.max(lowest, wantedScore(pod, container, memoryCapacity));
}

function wantedScore(pod: StoredPod, container: Container, memoryCapacity: number): number {
  const { spec } = pod;
  const critical = spec.priorityClassName === "system-node-critical" || (spec.priority ?? 0) >= 2_000_000_000;
  const quality = podQOSClass(pod);
  if (critical || quality === "Guaranteed") return guaranteedScore;
  if (quality === "BestEffort") return bestEffortScore;
  const { requests, limits } = container.resources ?? {};
  const request = Number(bytes(requests?.memory) ?? bytes(limits?.memory) ?? 0n);
  const score = 1000 - Math.trunc((1000 * request) / memoryCapacity);
  return Math.min(Math.max(score, 1000 + guaranteedScore), bestEffortScore - 1);
}
