import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { PeapodError } from "../base/errors.ts";
import { isFileSystemRoot, mount } from "../host/mounts.ts";
import type { Volume } from "../kube/types.ts";
import { writeAtomically } from "./atomic-files.ts";
import { applyOwnership, ownershipOf } from "./ownership.ts";
import type { MountedVolume, VolumeFile } from "./types.ts";
import type { VolumeRequest, VolumeType } from "./volume-type.ts";

/**
 * A type of volume whose files come from the API. Containers can only read it. In memory where it may hold a secret,
 * so that none ever reaches a disk.
 */
export function writtenVolume(
  field: keyof Volume,
  plugin: string,
  medium: MountedVolume["medium"],
): VolumeType {
  const describe = ({ volume, folder }: VolumeRequest): MountedVolume => ({
    name: volume.name,
    hostPath: folder,
    owned: true,
    medium,
    readOnly: true,
  });
  return {
    field,
    plugin,
    async mount(request, scope) {
      const { folder, content } = request;
      if (content === undefined || !("files" in content)) {
        throw new PeapodError("InternalError", `volume ${request.volume.name} has no content`);
      }
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      if (medium === "memory" && !isFileSystemRoot(folder)) {
        await mount({ type: "tmpfs", source: "tmpfs", target: folder, options: ["mode=1777"] }, scope);
      } else if (medium === "disk") {
        chmodSync(folder, 0o777);
      }
      writeVolume(request, content.files, scope.clock.now());
      return describe(request);
    },
    find(request) {
      const isThere = medium === "memory" ? isFileSystemRoot(request.folder) : existsSync(request.folder);
      return isThere ? describe(request) : undefined;
    },
    limit: () => undefined,
    update: (request, files, now) => writeVolume(request, files, now),
  };
}

function writeVolume(
  { pod, folder }: VolumeRequest,
  files: ReadonlyMap<string, VolumeFile>,
  now: number,
): void {
  const ownership = ownershipOf(pod.spec);
  writeAtomically(folder, files, now, (hidden) =>
    applyOwnership(hidden, true, { ...ownership, changePolicy: "Always" }),
  );
  applyOwnership(folder, true, { ...ownership, changePolicy: "OnRootMismatch" });
}
