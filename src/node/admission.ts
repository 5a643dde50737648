import { localAppArmorProfile } from "../kube/apparmor.ts";
import { initAndAppContainers } from "../kube/pod-containers.ts";
import { podAmounts } from "../kube/pod-resources.ts";
import type { StoredPod } from "../kube/types.ts";
import { sysctlProblem } from "./sysctls.ts";

/** Why the node will not run a pod, in the kubelet's words. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

/** What this node lets pods do beyond what is safe on every node. */
export interface AdmissionSettings {
  /** Names or prefixes (`net.*`) of kernel parameters that are not safe, allowed all the same. */
  readonly allowedUnsafeSysctls: readonly string[];
  /** Bytes in huge pages by resource name. */
  readonly hugePages: Readonly<Record<string, number>>;
  /** Whether the machine's kernel has AppArmor. */
  readonly appArmor: boolean;
}

/**
 * Why this node does not run the pod although the API took it; undefined when it does. Such a pod fails at once and
 * is never tried again, as with the kubelet's admission handlers. `others` are the pods that it has admitted before.
 */
export function rejectionOf(
  { spec }: StoredPod,
  others: readonly StoredPod[],
  settings: AdmissionSettings,
): Rejection | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const problem = sysctlProblem(name, spec, settings.allowedUnsafeSysctls);
    if (problem !== undefined) {
      return { reason: "SysctlForbidden", message: `forbidden sysctl: ${problem}` };
    }
  }
  const asksForAppArmor = initAndAppContainers(spec).some(
    (each) => localAppArmorProfile(spec, each) !== undefined,
  );
  if (asksForAppArmor && !settings.appArmor) {
    return {
      reason: "AppArmor",
      message: "Cannot enforce AppArmor: AppArmor is not enabled on the host",
    };
  }
  return missingHugePages(spec, others, settings);
}

/** Nothing can lend huge pages: a pod that finds too few of them would not start, or die at its first access. */
function missingHugePages(
  spec: StoredPod["spec"],
  others: readonly StoredPod[],
  { hugePages }: AdmissionSettings,
): Rejection | undefined {
  for (const [name, requested] of podAmounts(spec, "requests")) {
    if (!name.startsWith("hugepages-") || requested === 0n) continue;
    const capacity = BigInt(hugePages[name] ?? 0);
    const used = others.reduce(
      (sum, other) => sum + (podAmounts(other.spec, "requests").get(name) ?? 0n),
      0n,
    );
    if (used + requested <= capacity) continue;
    const amounts = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
    return { reason: `OutOf${name}`, message: `Node didn't have enough resource: ${name}, ${amounts}` };
  }
  return undefined;
}
