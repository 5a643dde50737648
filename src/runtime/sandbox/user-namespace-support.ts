import { release } from "node:os";
import { PeapodError } from "../../base/errors.ts";
import { readFileIfExists } from "../../host/files.ts";
import type { SubordinateIDs } from "./user-ranges.ts";

/** Linux 5.19: overlayfs on layers with mapped IDs. */
const neededKernel = { major: 5, minor: 19 };

/** Throws ServiceUnavailable, naming what is missing, where {@link userNamespaceProblem} finds something. */
export function requireUserNamespaces(): void {
  const problem = userNamespaceProblem();
  if (problem === undefined) return;
  throw new PeapodError("ServiceUnavailable", `hostUsers: false: user namespaces of pods ${problem}`);
}

/**
 * Why no pod of this machine can have a user namespace: on a kernel before 5.19 and where user namespaces are switched
 * off; undefined where pods can. What depends on a volume's file system (tmpfs needs Linux 6.3) shows
 * when it is mounted. https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/#before-you-begin
 */
export function userNamespaceProblem(): string | undefined {
  const [major = 0, minor = 0] = release()
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  return isBefore(major, minor)
    ? `need Linux ${neededKernel.major}.${neededKernel.minor}, this machine has ${release()}`
    : Number(readFileIfExists("/proc/sys/user/max_user_namespaces") ?? 0) === 0
      ? "are switched off on this machine (sysctl user.max_user_namespaces)"
      : process.env.PEAPOD_NO_SYSTEM_CALLS === "1"
        ? "need direct system calls, which PEAPOD_NO_SYSTEM_CALLS=1 forbids"
        : undefined;
}

/** What this machine gives away to users' own namespaces; empty where it has no such files. */
export function readSubordinateIDs(): SubordinateIDs {
  return { subuid: readFileIfExists("/etc/subuid") ?? "", subgid: readFileIfExists("/etc/subgid") ?? "" };
}

function isBefore(major: number, minor: number): boolean {
  return major < neededKernel.major || (major === neededKernel.major && minor < neededKernel.minor);
}
