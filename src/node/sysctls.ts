import type { PodSpec } from "../kube/types.ts";

/**
 * Kernel parameters that every pod may set: they belong to its own namespaces and harm no other pod
 * (https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls).
 */
const safe: readonly string[] = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
];

/**
 * Why the pod may not set the parameter, in the kubelet's words; undefined when it may. `allowed` holds further names
 * and prefixes (`net.*`); one outside of a pod's namespaces is never allowed, since it would be the machine's.
 */
export function sysctlProblem(
  parameter: string,
  spec: PodSpec,
  allowed: readonly string[],
): string | undefined {
  const name = normalName(parameter);
  const namespace = namespaceOf(name);
  if (
    namespace === undefined ||
    !(safe.includes(name) || allowed.some((pattern) => matches(name, pattern)))
  ) {
    return `"${parameter}" not allowlisted`;
  }
  const isHosts = namespace === "ipc" ? spec.hostIPC === true : spec.hostNetwork === true;
  return isHosts ? `"${parameter}" not allowed with host ${namespace} enabled` : undefined;
}

/** With dots; a name whose first separator is a slash has its dots and slashes the other way round (sysctl(8)). */
function normalName(parameter: string): string {
  const separator = /[./]/.exec(parameter)?.[0];
  return separator === "/" ? parameter.replace(/[./]/g, (each) => (each === "/" ? "." : "/")) : parameter;
}

function namespaceOf(name: string): "ipc" | "net" | undefined {
  if (name.startsWith("net.")) return "net";
  return /^(?:kernel\.(?:shm|msg|sem$)|fs\.mqueue\.)/.test(name) ? "ipc" : undefined;
}

function matches(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === normalName(pattern);
}
