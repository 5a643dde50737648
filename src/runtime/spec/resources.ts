import type { CgroupMode } from "../../host/cgroups.ts";
import { parseQuantity, quantityMilliValue, quantityValue } from "../../kube/quantity.ts";
import type { Container } from "../../kube/types.ts";
import { deviceRules } from "./devices.ts";
import type { OCIResources } from "./oci.ts";

/** The kubelet's units (its pkg/kubelet/cm/helpers_linux.go). */
const sharesPerCPU = 1024n;
const minimumShares = 2n;
export const quotaPeriodMicroseconds = 100_000n;
const minimumQuotaMicroseconds = 1_000n;

/** What the limits depend on beside the container. */
export interface ResourceOptions {
  readonly privileged: boolean;
  readonly cgroupMode: CgroupMode;
  readonly swapAccounting: boolean;
  /** Most processes and threads in the container; undefined: as many as the pod may have. */
  readonly pidsLimit?: number;
}

/**
 * A container's cgroup settings as the kubelet computes them: CPU shares from the request (from the limit where
 * there is no request), CPU quota and memory from the limits. Memory limits hold for memory and swap together,
 * and with cgroup version 2 a container that runs out of memory is killed as a whole.
 * https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
 */
export function resources(container: Container, options: ResourceOptions): OCIResources {
  const { requests, limits } = container.resources ?? {};
  const cpuLimit = milli(limits?.cpu);
  const cpuRequest = milli(requests?.cpu) ?? cpuLimit;
  const memoryLimit = bytes(limits?.memory);
  return {
    devices: deviceRules(options.privileged),
    cpu: {
      shares: Number(cpuShares(cpuRequest ?? 0n)),
      ...(cpuLimit === undefined || cpuLimit === 0n
        ? {}
        : { quota: Number(cpuQuota(cpuLimit)), period: Number(quotaPeriodMicroseconds) }),
    },
    ...(memoryLimit === undefined || memoryLimit === 0n
      ? {}
      : {
          memory: {
            limit: Number(memoryLimit),
            ...(options.swapAccounting ? { swap: Number(memoryLimit) } : {}),
          },
        }),
    ...hugePages(limits),
    ...(options.pidsLimit === undefined ? {} : { pids: { limit: options.pidsLimit } }),
    ...(options.cgroupMode === "unified" ? { unified: { "memory.oom.group": "1" } } : {}),
  };
}

/** The page sizes that limits name. */
function hugePages(
  limits: Readonly<Record<string, string | number>> | undefined,
): Pick<OCIResources, "hugepageLimits"> {
  const named = Object.entries(limits ?? {}).flatMap(([name, value]) => {
    const pageSize = hugePageSize(name);
    return pageSize === undefined ? [] : { pageSize, limit: Number(bytes(value) ?? 0n) };
  });
  return named.length === 0 ? {} : { hugepageLimits: named };
}

/** `hugepages-2Mi` → `2MB`, as the kernel and the OCI name the size; undefined for any other resource. */
export function hugePageSize(resource: string): string | undefined {
  const match = /^hugepages-(\d+)([KMG])i$/.exec(resource);
  return match === null ? undefined : `${match[1]}${match[2]}B`;
}

/** CPU shares (cgroup version 1's unit; the runtime turns them into a weight for version 2). */
export function cpuShares(milliCPU: bigint): bigint {
  const shares = (milliCPU * sharesPerCPU) / 1000n;
  return shares < minimumShares ? minimumShares : shares > 262_144n ? 262_144n : shares;
}

/** Microseconds of CPU time in each period; at least the kernel's minimum. */
export function cpuQuota(milliCPU: bigint): bigint {
  const quota = (milliCPU * quotaPeriodMicroseconds) / 1000n;
  return quota < minimumQuotaMicroseconds ? minimumQuotaMicroseconds : quota;
}

type Amount = string | number | undefined;

function milli(value: Amount): bigint | undefined {
  const quantity = value === undefined ? undefined : parseQuantity(value);
  return quantity === undefined ? undefined : quantityMilliValue(quantity);
}

/** A memory quantity in whole bytes; undefined where there is none. */
export function bytes(value: Amount): bigint | undefined {
  const quantity = value === undefined ? undefined : parseQuantity(value);
  return quantity === undefined ? undefined : quantityValue(quantity);
}
