import { createHash } from "node:crypto";
import { join } from "node:path";

/** Where a node keeps its things and how it names them, so that several nodes share one machine untouched. */
export interface Layout {
  /** Short name in everything the node makes in the kernel; at most 9 characters. */
  readonly instance: string;
  /** Survives a reboot, 0700: objects, images, pods' volumes, containers' bundles, logs. */
  readonly stateDir: string;
  /** Gone after a reboot on most machines, 0700: socket, pinned namespaces, mounts, monitors' files. */
  readonly runDir: string;
}

export const defaultStateDir = "/var/lib/peapod";
export const defaultRunDir = "/run/peapod";

/** The layout for the given folders (absolute paths). The default folders have the instance name `peapod`. */
export function layoutFor(stateDir: string, runDir: string): Layout {
  const isDefault = stateDir === defaultStateDir && runDir === defaultRunDir;
  const hash = createHash("sha256").update(`${stateDir}\n${runDir}`).digest("hex");
  return { instance: isDefault ? "peapod" : `pea${hash.slice(0, 6)}`, stateDir, runDir };
}

/** The Unix socket on which the node's API listens. */
export function apiSocket(layout: Layout): string {
  return join(layout.runDir, "api.sock");
}

/** Folder of what is made for one pod's volumes, and of nothing else. */
export function podDir(layout: Layout, podUID: string): string {
  return join(layout.stateDir, "pods", podUID);
}

/** Folder of one pod's volumes. */
export function podVolumesDir(layout: Layout, podUID: string): string {
  return join(podDir(layout, podUID), "volumes");
}

/** Folder of the parts of volumes that one pod's containers mount by themselves (`subPath`). */
export function podSubPathsDir(layout: Layout, podUID: string): string {
  return join(podDir(layout, podUID), "volume-subpaths");
}

/** Folders of the volumes that were made for claims, by the volume's name. */
export function claimsDir(layout: Layout): string {
  return join(layout.stateDir, "volumes");
}

/** Folder of one pod's sandbox: pinned namespaces, shm, hosts, hostname, resolv.conf. */
export function sandboxDir(layout: Layout, podUID: string): string {
  return join(layout.runDir, "sandboxes", podUID);
}

/** Folder of one container's bundle and record. */
export function containerStateDir(layout: Layout, containerID: string): string {
  return join(layout.stateDir, "containers", containerID);
}

/** Folder of one container's run-time files: pid files, monitor's control FIFO, attach socket. */
export function containerRunDir(layout: Layout, containerID: string): string {
  return join(layout.runDir, "containers", containerID);
}

/** Folders of the containers' root file systems: their layers' list, upper and work folder. */
export function rootfsStateDir(layout: Layout): string {
  return join(layout.stateDir, "rootfs");
}

/** Mount points of the containers' root file systems: never below a folder that is deleted recursively. */
export function rootfsRunDir(layout: Layout): string {
  return join(layout.runDir, "rootfs");
}

/**
 * Folder below which the processes of pods with a user namespace of their own find their root file systems: on the way
 * to everything else of the node is a folder that only this machine's root may pass. Mode 0711, gone when empty.
 */
export function reachableDir(layout: Layout): string {
  return join("/run", `${layout.instance}-user-namespaces`);
}

/** Mount points that exist only while something is being made of mounts with mapped IDs. */
export function idMappedDir(layout: Layout, containerID: string): string {
  return join(layout.runDir, "idmapped", containerID);
}

/** Folder in which every monitor leaves its container's exit code in a file named by the container's id. */
export function exitsDir(layout: Layout): string {
  return join(layout.runDir, "exits");
}

/** Folder of the pods' logs. */
export function logsDir(layout: Layout): string {
  return join(layout.stateDir, "logs");
}

/**
 * Folder of a pod's logs: `CONTAINER/ATTEMPT.log` below it, as below the kubelet's /var/log/pods. A pod's name may be
 * 253 characters long, a file's 255: then the name is cut, which the uid allows.
 */
export function podLogsDir(layout: Layout, { namespace, name, uid }: PodNames): string {
  const room = 255 - `${namespace}__${uid}`.length;
  return join(logsDir(layout), `${namespace}_${name.slice(0, room)}_${uid}`);
}

interface PodNames {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A pod's cgroup below every hierarchy's mount. */
export function podCgroup(layout: Layout, podUID: string): string {
  return `/${layout.instance}/pod${podUID}`;
}
