import type { Scope } from "../base/scope.ts";
import { withMappedIDs } from "../host/idmapped-mounts.ts";
import { idMappedDir, type Layout } from "../host/layout.ts";
import type { ContainerMount, Sandbox } from "./types.ts";

/**
 * Gives `create` a container's mounts such that the pod's users own what is in them; they are needed only until the
 * container has its own copies. The same mounts where the pod's users are this machine's. Done here and not by the
 * runtime, since runc before 1.2 passes over the mappings of mounts in silence.
 */
export async function withOwnedMounts<T>(
  layout: Layout,
  containerID: string,
  { userNamespace }: Sandbox,
  mounts: readonly ContainerMount[],
  create: (mounts: readonly ContainerMount[]) => Promise<T>,
  scope: Scope,
): Promise<T> {
  if (userNamespace === undefined) return create(mounts);
  const unmapped = mounts.filter(({ idsMapped }) => idsMapped !== true);
  return await withMappedIDs(
    idMappedDir(layout, containerID),
    userNamespace.path,
    unmapped.map(({ hostPath }) => hostPath),
    (paths) =>
      create(
        mounts.map((mount) => {
          const path = paths[unmapped.indexOf(mount)];
          return path === undefined ? mount : { ...mount, hostPath: path };
        }),
      ),
    scope,
  );
}
