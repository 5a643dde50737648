import type { CgroupMode } from "../../host/cgroups.ts";
import { cpuQuota, cpuShares, quotaPeriodMicroseconds } from "../../kube/cgroup-amounts.ts";
import { parseQuantity, quantityMilliValue, quantityValue } from "../../kube/quantity.ts";
import type { Container } from "../../kube/types.ts";
import { deviceRules } from "./devices.ts";
import type { OCIResources } from "./oci.ts";

/** What the limits depend on beside the container. */
export interface ResourceOptions {
  readonly privileged: boolean;
  readonly cgroupMode: CgroupMode;
  readonly swapAccounting: boolean;
  /** Sizes of huge pages that the machine has. */
  readonly hugePageSizes?: readonly string[];
  /** Most processes and threads in the container; undefined: as many as the pod may have. */
  readonly pidsLimit?: number;
}

/**
 * A container's cgroup settings as the kubelet computes them: CPU shares from the request (from the limit where
 * there is no request), CPU quota and memory from the limits. Memory limits hold for memory and swap together,
 * and with cgroup version 2 a container that runs out of memory is killed as a whole, and none may swap, whether it
 * has a limit or not (the kubelet's `memorySwap.swapBehavior: NoSwap`).
 * https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
 */
export function resources(container: Container, options: ResourceOptions): OCIResources {
  return {
    devices: deviceRules(options.privileged),
    ...changeableResources(container.resources, options),
    ...hugePages(container.resources?.limits, options.hugePageSizes ?? []),
    ...(options.pidsLimit === undefined ? {} : { pids: { limit: options.pidsLimit } }),
    ...(options.cgroupMode === "unified" ? { unified: versionTwoFiles(options) } : {}),
  };
}

function versionTwoFiles({ swapAccounting }: ResourceOptions): Readonly<Record<string, string>> {
  return { "memory.oom.group": "1", ...(swapAccounting ? { "memory.swap.max": "0" } : {}) };
}

/** The part of them that can be changed while the container runs. */
export function changeableResources(
  wanted: Container["resources"],
  { swapAccounting }: Pick<ResourceOptions, "swapAccounting">,
): Pick<OCIResources, "cpu" | "memory"> {
  const cpuLimit = milli(wanted?.limits?.cpu);
  const cpuRequest = milli(wanted?.requests?.cpu) ?? cpuLimit;
  const memoryLimit = bytes(wanted?.limits?.memory);
  return {
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
            ...(swapAccounting ? { swap: Number(memoryLimit) } : {}),
          },
        }),
  };
}

/** The page sizes that limits name, and none of any other that the machine has. */
function hugePages(
  limits: Readonly<Record<string, string | number>> | undefined,
  sizes: readonly string[],
): Pick<OCIResources, "hugepageLimits"> {
  const named = Object.entries(limits ?? {}).flatMap(([name, value]) => {
    const pageSize = hugePageSize(name);
    return pageSize === undefined ? [] : { pageSize, limit: Number(bytes(value) ?? 0n) };
  });
  const others = sizes
    .filter((size) => !named.some(({ pageSize }) => pageSize === size))
    .map((pageSize) => ({ pageSize, limit: 0 }));
  const all = [...named, ...others];
  return all.length === 0 ? {} : { hugepageLimits: all };
}

/** `hugepages-2Mi` → `2MB`, as the kernel and the OCI name the size; undefined for any other resource. */
export function hugePageSize(resource: string): string | undefined {
  const match = /^hugepages-(\d+)([KMG])i$/.exec(resource);
  return match === null ? undefined : `${match[1]}${match[2]}B`;
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
