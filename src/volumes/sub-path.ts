import { closeSync, fstatSync, lstatSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { explain, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { bindMount, unmount } from "../host/mounts.ts";
import { openBeneath } from "./open-beneath.ts";
import type { MountedSubPath, SubPathRequest } from "./types.ts";

/**
 * Binds one file or folder of a volume to a place of its own, `FOLDER/VOLUME/CONTAINER/INDEX`, and returns it. What
 * was bound there for an earlier instance of the container is replaced, since its target may have changed
 * (https://kubernetes.io/docs/concepts/storage/volumes/#using-subpath).
 */
export async function mountSubPath(
  folder: string,
  request: SubPathRequest,
  scope: Scope,
): Promise<MountedSubPath> {
  const { volume, container, index } = request;
  const target = join(folder, volume.name, container, String(index));
  const fd = open(request, scope);
  try {
    await unmount(target, {}, scope);
    removeMountPoint(target);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    const isFolder = fstatSync(fd).isDirectory();
    if (isFolder) mkdirSync(target, { mode: 0o700 });
    else writeFileSync(target, "", { mode: 0o600 });
    // The open descriptor, not the path: the path may lead elsewhere by now.
    await bindMount(`/proc/${process.pid}/fd/${fd}`, target, ["rbind"], scope);
    return { hostPath: target, isFolder };
  } finally {
    closeSync(fd);
  }
}

/** Never recursively: if something is still mounted there, that would delete what is in the volume. */
function removeMountPoint(path: string): void {
  const present = lstatSync(path, { throwIfNoEntry: false });
  if (present?.isDirectory() === true) rmdirSync(path);
  else rmSync(path, { force: true });
}

function open({ volume, container, path, create }: SubPathRequest, scope: Scope): number {
  try {
    return openBeneath(volume.hostPath, path, create);
  } catch (error) {
    // What exactly is wrong would tell the pod's author about this machine: it goes to the log only.
    scope.log.warn({ volume: volume.name, path, error: explain(error) }, "subPath not usable");
    throw new PeapodError(
      "CreateContainerConfigError",
      `failed to prepare subPath for volumeMount "${volume.name}" of container "${container}"`,
    );
  }
}
