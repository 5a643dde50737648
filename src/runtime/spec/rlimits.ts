import type { Machine } from "../machine.ts";
import type { OCIRlimit } from "./oci.ts";

/** As many files as containerd's service gives its containers. */
const openFiles = 1_048_576;

/**
 * The container's resource limits: those of this daemon (nothing is set, so the kernel hands them down), except
 * open files, for which a container expects many. Never more than the daemon's own hard limit, which only
 * CAP_SYS_RESOURCE could raise.
 */
export function rlimits(machine: Pick<Machine, "maxOpenFiles">): readonly OCIRlimit[] {
  const limit = Math.min(openFiles, machine.maxOpenFiles);
  return [{ type: "RLIMIT_NOFILE", soft: limit, hard: limit }];
}
