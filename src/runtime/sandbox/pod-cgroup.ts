import type { CgroupMode } from "../../host/cgroups.ts";
import {
  type PodCgroupAmounts,
  podCgroupAmounts,
  quotaPeriodMicroseconds,
} from "../../kube/cgroup-amounts.ts";
import { podAmounts } from "../../kube/pod-resources.ts";
import type { StoredPod } from "../../kube/types.ts";
import { hugePageSize } from "../spec/resources.ts";

/** One setting of a cgroup: the controller that it belongs to with version 1, the file and what to write. */
export interface CgroupSetting {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

/**
 * The settings of a new pod's cgroup: its amounts, and huge pages at most what is asked for (the kubelet's
 * pkg/kubelet/cm/helpers_linux.go). Whatever stays unlimited is not written.
 */
export function podCgroupSettings(pod: StoredPod, mode: CgroupMode): readonly CgroupSetting[] {
  return [
    ...amountSettings(podCgroupAmounts(pod), mode),
    ...hugePageSettings(podAmounts(pod.spec, "limits"), mode === "unified"),
  ];
}

/** Amounts of a pod's cgroup, all or some of them, as files to write. */
export function amountSettings(
  { cpuShares, cpuQuota, memoryLimit }: Partial<PodCgroupAmounts>,
  mode: CgroupMode,
): readonly CgroupSetting[] {
  const unified = mode === "unified";
  const settings: CgroupSetting[] = [];
  if (cpuShares !== undefined) {
    settings.push(unified ? cpu("cpu.weight", weight(BigInt(cpuShares))) : cpu("cpu.shares", cpuShares));
  }
  if (cpuQuota !== undefined) {
    if (unified) settings.push(cpu("cpu.max", `${cpuQuota} ${quotaPeriodMicroseconds}`));
    else {
      settings.push(cpu("cpu.cfs_period_us", quotaPeriodMicroseconds), cpu("cpu.cfs_quota_us", cpuQuota));
    }
  }
  if (memoryLimit !== undefined) {
    const file = unified ? "memory.max" : "memory.limit_in_bytes";
    settings.push({ controller: "memory", file, value: String(memoryLimit) });
  }
  return settings;
}

function hugePageSettings(limits: ReadonlyMap<string, bigint>, unified: boolean): CgroupSetting[] {
  return [...limits].flatMap(([name, bytes]) => {
    const size = hugePageSize(name);
    if (size === undefined) return [];
    const file = `hugetlb.${size}.${unified ? "max" : "limit_in_bytes"}`;
    return { controller: "hugetlb", file, value: String(bytes) };
  });
}

function cpu(file: string, value: bigint | number | string): CgroupSetting {
  return { controller: "cpu", file, value: String(value) };
}

/** Shares of version 1 (2 … 262144) as a weight of version 2 (1 … 10000). */
function weight(shares: bigint): bigint {
  return 1n + ((shares - 2n) * 9999n) / 262_142n;
}
