import { podQOSClass } from "./pod-qos.ts";
import { isLimited, podAmounts } from "./pod-resources.ts";
import type { StoredPod } from "./types.ts";

/** The kubelet's units (its pkg/kubelet/cm/helpers_linux.go). */
const sharesPerCPU = 1024n;
const minimumShares = 2n;
const maximumShares = 262_144n;
export const quotaPeriodMicroseconds = 100_000n;
const minimumQuotaMicroseconds = 1_000n;

/** What a pod's cgroup is given; whatever stays unlimited is absent. */
export interface PodCgroupAmounts {
  readonly cpuShares: number;
  /** Microseconds of each period of {@link quotaPeriodMicroseconds}. */
  readonly cpuQuota?: number;
  /** Bytes. */
  readonly memoryLimit?: number;
}

/**
 * A pod's own cgroup as the kubelet computes it: CPU shares from the requests of all containers, CPU quota and memory
 * limit where every container has one or the pod as a whole. Pure.
 */
export function podCgroupAmounts(pod: StoredPod): PodCgroupAmounts {
  const { spec } = pod;
  const limits = podAmounts(spec, "limits");
  const isBestEffort = podQOSClass(pod) === "BestEffort";
  const cpuRequest = isBestEffort ? 0n : (podAmounts(spec, "requests").get("cpu") ?? 0n);
  const cpuLimit = isLimited(spec, "cpu") ? (limits.get("cpu") ?? 0n) : 0n;
  const memory = isLimited(spec, "memory") ? (limits.get("memory") ?? 0n) : 0n;
  return {
    cpuShares: Number(cpuShares(cpuRequest)),
    ...(cpuLimit > 0n ? { cpuQuota: Number(cpuQuota(cpuLimit)) } : {}),
    ...(memory > 0n ? { memoryLimit: Number(memory) } : {}),
  };
}

/** CPU shares (cgroup version 1's unit; the runtime turns them into a weight for version 2). */
export function cpuShares(milliCPU: bigint): bigint {
  const shares = (milliCPU * sharesPerCPU) / 1000n;
  return shares < minimumShares ? minimumShares : shares > maximumShares ? maximumShares : shares;
}

/** Microseconds of CPU time in each period; at least the kernel's minimum. */
export function cpuQuota(milliCPU: bigint): bigint {
  const quota = (milliCPU * quotaPeriodMicroseconds) / 1000n;
  return quota < minimumQuotaMicroseconds ? minimumQuotaMicroseconds : quota;
}
