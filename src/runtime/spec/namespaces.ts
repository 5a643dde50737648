import type { Sandbox } from "../types.ts";
import type { OCINamespace } from "./oci.ts";

/**
 * The container's namespaces: mount always its own, network, IPC and UTS the sandbox's (the host's where the
 * sandbox has none), PID its own, the sandbox process', the host's or that of the container it is to look into. The cgroup namespace is its own too,
 * except when privileged, as containerd has it.
 */
export function namespaces(
  sandbox: Pick<Sandbox, "netns" | "ipcns" | "utsns" | "pid">,
  options: { hostPID: boolean; privileged: boolean; targetPID?: number | undefined },
): readonly OCINamespace[] {
  const shared = (type: OCINamespace["type"], path: string | undefined): readonly OCINamespace[] =>
    path === undefined ? [] : [{ type, path }];
  const pid: readonly OCINamespace[] =
    sandbox.pid !== undefined
      ? [{ type: "pid", path: `/proc/${sandbox.pid}/ns/pid` }]
      : options.hostPID
        ? []
        : options.targetPID !== undefined
          ? [{ type: "pid", path: `/proc/${options.targetPID}/ns/pid` }]
          : [{ type: "pid" }];
  return [
    ...pid,
    { type: "mount" },
    ...shared("network", sandbox.netns),
    ...shared("ipc", sandbox.ipcns),
    ...shared("uts", sandbox.utsns),
    ...(options.privileged ? [] : [{ type: "cgroup" } as const]),
  ];
}
