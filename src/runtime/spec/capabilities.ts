import { PeapodError } from "../../base/errors.ts";
import type { SecurityContext } from "../../kube/types.ts";
import { isCapability } from "./capability-names.ts";
import type { OCICapabilities } from "./oci.ts";

/** What a container has when it asks for nothing: containerd's set (its oci.WithDefaultCapabilities). */
export const defaultCapabilities: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/**
 * The container's capabilities: the default set, `drop` taken away and `add` put in, `ALL` meaning everything
 * this daemon has (`available`); a privileged container has that anyway. Inheritable and ambient sets stay
 * empty, as containerd leaves them. Throws CreateContainerConfigError for a capability that does not exist or
 * that the daemon itself lacks, since a container cannot have more than its maker.
 */
export function capabilities(
  context: SecurityContext | undefined,
  available: readonly string[],
): OCICapabilities {
  const add = (context?.capabilities?.add ?? []).map(fullName);
  const drop = (context?.capabilities?.drop ?? []).map(fullName);
  const wanted = new Set(context?.privileged || add.includes("CAP_ALL") ? available : defaultCapabilities);
  if (drop.includes("CAP_ALL")) wanted.clear();
  if (!context?.privileged) {
    for (const name of drop) wanted.delete(name);
  }
  // What is added by name is kept though ALL was dropped.
  for (const name of add.filter((each) => each !== "CAP_ALL")) {
    if (!isCapability(name)) {
      throw new PeapodError("CreateContainerConfigError", `unknown capability ${name.slice(4)}`);
    }
    if (!available.includes(name)) {
      throw new PeapodError(
        "CreateContainerConfigError",
        `capability ${name.slice(4)} cannot be added: the node daemon itself does not have it`,
      );
    }
    wanted.add(name);
  }
  const list = available.filter((name) => wanted.has(name));
  return { bounding: list, effective: list, permitted: list };
}

function fullName(name: string): string {
  const upper = name.toUpperCase();
  return upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
}
