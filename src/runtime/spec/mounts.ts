import { normalize } from "node:path";
import { PeapodError } from "../../base/errors.ts";
import type { ContainerMount, Sandbox } from "../types.ts";
import type { OCIMount } from "./oci.ts";

/** What the mounts depend on beside the volumes. */
export interface MountOptions {
  readonly privileged: boolean;
  /** Whether read-only can reach the mounts below a volume: mount_setattr(2), Linux 5.12. */
  readonly recursiveReadOnly: boolean;
  /** Host file and path in the container of the termination message; undefined for none. */
  readonly terminationMessage: { readonly hostPath: string; readonly mountPath: string } | undefined;
}

/**
 * All mounts of a container in the order in which they are made: the kernel's file systems, then the sandbox's
 * files, then volumes, each after what lies above it. A volume takes the place of a file or folder that would be
 * mounted at the same path.
 */
export function mounts(
  sandbox: Pick<Sandbox, "shm" | "files">,
  volumes: readonly ContainerMount[],
  options: MountOptions,
): readonly OCIMount[] {
  const byVolumes = new Set(volumes.map((volume) => normalizePath(volume.mountPath)));
  const own = [...kernelMounts(options), ...sandboxMounts(sandbox, options)];
  const asked = volumes
    .map((volume) => volumeMount(volume, options))
    .sort((a, b) => depth(a.destination) - depth(b.destination) || compare(a.destination, b.destination));
  return [...own.filter((mount) => !byVolumes.has(mount.destination)), ...asked];
}

/** Propagation of the container's root, wide enough for the widest of its volumes; undefined: the default. */
export function rootfsPropagation(volumes: readonly ContainerMount[]): string | undefined {
  if (volumes.some((volume) => volume.propagation === "rshared")) return "rshared";
  if (volumes.some((volume) => volume.propagation === "rslave")) return "rslave";
  return undefined;
}

function kernelMounts({ privileged }: MountOptions): readonly OCIMount[] {
  const access = privileged ? "rw" : "ro";
  const safe = ["nosuid", "noexec", "nodev"];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: safe },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    // Shows the queues of whichever IPC namespace the container is in; the host need not have it mounted itself.
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: safe },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: [...safe, access] },
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: [...safe, "relatime", access],
    },
  ];
}

function sandboxMounts(
  { shm, files }: Pick<Sandbox, "shm" | "files">,
  { terminationMessage }: MountOptions,
): readonly OCIMount[] {
  const file = (source: string, destination: string): OCIMount => ({
    destination,
    type: "bind",
    source,
    options: ["rbind", "rprivate", "rw"],
  });
  return [
    {
      destination: "/dev/shm",
      type: "bind",
      source: shm,
      options: ["rbind", "rprivate", "nosuid", "noexec", "nodev", "rw"],
    },
    file(files.hosts, "/etc/hosts"),
    file(files.hostname, "/etc/hostname"),
    file(files.resolvConf, "/etc/resolv.conf"),
    ...(terminationMessage === undefined
      ? []
      : [file(terminationMessage.hostPath, normalizePath(terminationMessage.mountPath))]),
  ];
}

function volumeMount(volume: ContainerMount, { recursiveReadOnly }: MountOptions): OCIMount {
  if (volume.recursiveReadOnly === "Enabled" && !recursiveReadOnly) {
    throw new PeapodError(
      "CreateContainerConfigError",
      "recursive read-only mounts are not supported by this machine's kernel (Linux 5.12 has them)",
    );
  }
  const recursive = (volume.recursiveReadOnly ?? "Disabled") !== "Disabled" && recursiveReadOnly;
  const access = volume.readOnly ? ["ro", ...(recursive ? ["rro"] : [])] : ["rw"];
  return {
    destination: normalizePath(volume.mountPath),
    type: "bind",
    source: volume.hostPath,
    options: [
      "rbind",
      volume.propagation === "private" ? "rprivate" : volume.propagation,
      ...access,
      ...(volume.noExec === true ? ["noexec", ...(recursive ? ["rnoexec"] : [])] : []),
    ],
  };
}

function normalizePath(path: string): string {
  const normal = normalize(`/${path}`);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

function depth(path: string): number {
  return path.split("/").filter((part) => part !== "").length;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
