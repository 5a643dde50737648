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
}

/**
 * Why this node does not run the pod although the API took it; undefined when it does. Such a pod fails at once and
 * is never tried again, as with the kubelet's admission handlers.
 */
export function rejectionOf({ spec }: StoredPod, settings: AdmissionSettings): Rejection | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const problem = sysctlProblem(name, spec, settings.allowedUnsafeSysctls);
    if (problem !== undefined) {
      return { reason: "SysctlForbidden", message: `forbidden sysctl: ${problem}` };
    }
  }
  return undefined;
}
