import type { CgroupMode } from "../../host/cgroups.ts";
import { podQOSClass } from "../../kube/pod-qos.ts";
import { isLimited, podAmounts } from "../../kube/pod-resources.ts";
import type { StoredPod } from "../../kube/types.ts";
import { cpuQuota, cpuShares, hugePageSize, quotaPeriodMicroseconds } from "../spec/resources.ts";

/** One setting of a cgroup: the controller that it belongs to with version 1, the file and what to write. */
export interface CgroupSetting {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

/**
 * The settings of a pod's cgroup as the kubelet computes them: CPU shares from the requests of all containers, CPU
 * quota and memory limit where every container has one or the pod as a whole, huge pages at most what is asked for
 * (its pkg/kubelet/cm/helpers_linux.go). Whatever stays unlimited is not written.
 */
export function podCgroupSettings(pod: StoredPod, mode: CgroupMode): readonly CgroupSetting[] {
  const { spec } = pod;
  const limits = podAmounts(spec, "limits");
  const quality = podQOSClass(pod);
  const shares =
    quality === "BestEffort" ? cpuShares(0n) : cpuShares(podAmounts(spec, "requests").get("cpu") ?? 0n);
  const cpuLimit = isLimited(spec, "cpu") ? limits.get("cpu") : undefined;
  const memory = isLimited(spec, "memory") ? limits.get("memory") : undefined;
  const unified = mode === "unified";
  const settings = [unified ? cpu("cpu.weight", weight(shares)) : cpu("cpu.shares", shares)];
  if (cpuLimit !== undefined && cpuLimit > 0n) {
    const quota = cpuQuota(cpuLimit);
    if (unified) settings.push(cpu("cpu.max", `${quota} ${quotaPeriodMicroseconds}`));
    else {
      settings.push(cpu("cpu.cfs_period_us", quotaPeriodMicroseconds), cpu("cpu.cfs_quota_us", quota));
    }
  }
  if (memory !== undefined && memory > 0n) {
    const file = unified ? "memory.max" : "memory.limit_in_bytes";
    settings.push({ controller: "memory", file, value: String(memory) });
  }
  return [...settings, ...hugePageSettings(limits, unified)];
}

function hugePageSettings(limits: ReadonlyMap<string, bigint>, unified: boolean): CgroupSetting[] {
  return [...limits].flatMap(([name, bytes]) => {
    const size = hugePageSize(name);
    if (size === undefined) return [];
    const file = `hugetlb.${size}.${unified ? "max" : "limit_in_bytes"}`;
    return { controller: "hugetlb", file, value: String(bytes) };
  });
}

function cpu(file: string, value: bigint | string): CgroupSetting {
  return { controller: "cpu", file, value: String(value) };
}

/** Shares of version 1 (2 … 262144) as a weight of version 2 (1 … 10000). */
function weight(shares: bigint): bigint {
  return 1n + ((shares - 2n) * 9999n) / 262_142n;
}
