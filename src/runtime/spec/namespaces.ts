import type { Sandbox } from "../types.ts";
import type { OCILinux, OCINamespace } from "./oci.ts";

/**
 * The container's namespaces: mount always its own, network, IPC and UTS the sandbox's (the host's where the
 * sandbox has none), PID its own, the sandbox process', the host's or that of the container it is to look into. The cgroup namespace is its own too,
 * except when privileged, as containerd has it. A user namespace only where the pod has one.
 */
export function namespaces(
  sandbox: Pick<Sandbox, "netns" | "ipcns" | "utsns" | "userNamespace" | "pid">,
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
    ...shared("user", sandbox.userNamespace?.path),
    ...pid,
    { type: "mount" },
    ...shared("network", sandbox.netns),
    ...shared("ipc", sandbox.ipcns),
    ...shared("uts", sandbox.utsns),
    ...(options.privileged ? [] : [{ type: "cgroup" } as const]),
  ];
}

/** How the runtime is to translate the users and groups of a namespace that it joins. */
export function idMappings(
  userNamespace: Sandbox["userNamespace"],
): Pick<OCILinux, "uidMappings" | "gidMappings"> {
  if (userNamespace === undefined) return {};
  const mapping = [{ containerID: 0, hostID: userNamespace.hostID, size: userNamespace.size }];
  return { uidMappings: mapping, gidMappings: mapping };
}
