import type { PodSpec } from "../../kube/types.ts";
import type { Sandbox } from "../types.ts";

/**
 * Kernel parameters of the pod's own namespaces: those of securityContext.sysctls, and containerd's defaults that
 * let every user listen on ports under 1024 and send pings. Each container sets them again, to the same values.
 * Empty where the network is the host's.
 */
export function sysctls(
  spec: PodSpec,
  sandbox: Pick<Sandbox, "netns" | "userNamespace">,
): Readonly<Record<string, string>> {
  const asked = (spec.securityContext?.sysctls ?? []).map(({ name, value }) => [
    name.replaceAll("/", "."),
    value,
  ]);
  const defaults =
    sandbox.netns === undefined
      ? {}
      : {
          "net.ipv4.ip_unprivileged_port_start": "0",
          "net.ipv4.ping_group_range": `0 ${highestGroup(sandbox.userNamespace)}`,
        };
  return { ...defaults, ...Object.fromEntries(asked) };
}

/** The kernel takes no group that the pod's user namespace doesn't have. */
function highestGroup(userNamespace: Sandbox["userNamespace"]): number {
  return userNamespace === undefined ? 2_147_483_647 : userNamespace.size - 1;
}
