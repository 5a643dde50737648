import { readCgroups, readProcessIdentity } from "../host/proc.ts";

/** What is known of a process beside its host PID; undefined when it was gone before it could be asked. */
export interface ProcessName {
  readonly pid: number | undefined;
  readonly process: string | undefined;
}

/** In which of these containers a process is, and its name and PID there. Undefined when it is in none, or gone. */
export function identifyIn<Container extends { readonly cgroup: string }>(
  containers: readonly Container[],
  hostPID: number,
): (ProcessName & { readonly container: Container }) | undefined {
  const cgroups = readCgroups(hostPID);
  const container = containers.find(({ cgroup }) =>
    cgroups.some((path) => path === cgroup || path.startsWith(`${cgroup}/`)),
  );
  if (container === undefined) return undefined;
  const identity = readProcessIdentity(hostPID);
  return { container, pid: identity?.namespacePID, process: identity?.name };
}
