import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { runCommand } from "../host/command.ts";
import { listMounts, unmountBelow } from "../host/mounts.ts";

/**
 * Unmounts everything at and below `folder` and deletes it; done when there is none. Follows no symbolic link
 * (rm(1)) and never deletes through a mount: a container may have mounted a part of the host into its volume, and a
 * bind mount on the same disk is no other file system to rm. Throws FailedMount when something stays mounted.
 */
export async function unmountAndDelete(folder: string, scope: Scope): Promise<void> {
  await unmountBelow(folder, scope);
  const left = listMounts().find(({ target }) => target === folder || target.startsWith(`${folder}/`));
  if (left !== undefined) {
    throw new PeapodError("FailedMount", `volumes not deleted: ${left.target} is still mounted`);
  }
  await runCommand("rm", ["-rf", "--one-file-system", "--", folder], {}, scope);
}
