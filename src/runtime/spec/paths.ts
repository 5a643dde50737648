import type { SecurityContext } from "../../kube/types.ts";

/** Kernel files that a container must not read: containerd's list (its oci.defaultMaskedPaths). */
const masked = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

const readOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/**
 * Paths hidden from the container and paths it can only read; none of either when it is privileged or asks for
 * `procMount: Unmasked` (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
 */
export function protectedPaths(context: SecurityContext | undefined): {
  maskedPaths: readonly string[];
  readonlyPaths: readonly string[];
} {
  const unmasked = context?.privileged === true || context?.procMount === "Unmasked";
  return unmasked ? { maskedPaths: [], readonlyPaths: [] } : { maskedPaths: masked, readonlyPaths: readOnly };
}
