import { closeSync, mkdirSync, openSync, type Stats, statSync } from "node:fs";
import { PeapodError, systemErrorCode } from "../base/errors.ts";
import { isGone } from "../host/files.ts";
import type { Volume } from "../kube/types.ts";
import type { MountedVolume } from "./types.ts";
import type { VolumeType } from "./volume-type.ts";

/**
 * `hostPath`: a file or folder of this machine, never deleted by the node. `type` says what must be there, or is
 * made (https://kubernetes.io/docs/concepts/storage/volumes/#hostpath-volume-types). Without a type a missing path
 * becomes a folder, as containerd makes it before it mounts.
 */
export const hostPath: VolumeType = {
  field: "hostPath",
  plugin: "kubernetes.io~host-path",
  async mount({ volume }) {
    prepare(volume.hostPath?.path ?? "", volume.hostPath?.type ?? "");
    return describe(volume);
  },
  find: ({ volume }) => describe(volume),
  limit: () => undefined,
};

function describe(volume: Volume): MountedVolume {
  return { name: volume.name, hostPath: volume.hostPath?.path ?? "", owned: false, medium: "disk" };
}

interface Check {
  readonly expected: string;
  readonly holds: (stats: Stats) => boolean;
  /** Makes what is missing. */
  readonly create?: (path: string) => void;
}

const makeFolder = (path: string) => {
  mkdirSync(path, { recursive: true, mode: 0o755 });
};
const makeFile = (path: string) => closeSync(openSync(path, "a", 0o644));
const isFolder = (stats: Stats) => stats.isDirectory();
const isFile = (stats: Stats) => stats.isFile();

const checks: Readonly<Record<string, Check>> = {
  "": { expected: "", holds: () => true, create: makeFolder },
  DirectoryOrCreate: { expected: "a directory", holds: isFolder, create: makeFolder },
  Directory: { expected: "a directory", holds: isFolder },
  FileOrCreate: { expected: "a file", holds: isFile, create: makeFile },
  File: { expected: "a file", holds: isFile },
  Socket: { expected: "a socket file", holds: (stats) => stats.isSocket() },
  CharDevice: { expected: "a character device", holds: (stats) => stats.isCharacterDevice() },
  BlockDevice: { expected: "a block device", holds: (stats) => stats.isBlockDevice() },
};

function prepare(path: string, type: string): void {
  const check = checks[type];
  if (check === undefined) throw new PeapodError("FailedMount", `${type} is an invalid volume type`);
  let stats: Stats | undefined;
  try {
    stats = look(path);
    if (stats === undefined && check.create !== undefined) {
      check.create(path);
      stats = look(path);
    }
  } catch (error) {
    const code = systemErrorCode(error) ?? "error";
    throw new PeapodError("FailedMount", `hostPath ${path}: ${code}`, { cause: error });
  }
  if (stats === undefined || !check.holds(stats)) {
    throw new PeapodError("FailedMount", `hostPath type check failed: ${path} is not ${check.expected}`);
  }
}

/** What the path leads to, symbolic links followed. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
