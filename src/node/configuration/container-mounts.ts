import { PeapodError } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import type { Container, StoredPod } from "../../kube/types.ts";
import type { ContainerMount } from "../../runtime/types.ts";
import type { MountedSubPath, MountedVolume } from "../../volumes/types.ts";
import type { AgentDependencies } from "../dependencies.ts";
import { expandReferences } from "../expansion.ts";

type VolumeMount = NonNullable<Container["volumeMounts"]>[number];

type RecursiveReadOnly = NonNullable<ContainerMount["recursiveReadOnly"]>;

const propagations = {
  None: "private",
  HostToContainer: "rslave",
  Bidirectional: "rshared",
} as const;

/**
 * A container's volumeMounts with the paths of this machine behind them; a `subPath` is mounted on the way and made
 * as a folder where it is missing. Throws CreateContainerConfigError.
 */
export async function containerMounts(
  pod: StoredPod,
  container: Container,
  volumes: ReadonlyMap<string, MountedVolume>,
  variables: ReadonlyMap<string, string>,
  dependencies: Pick<AgentDependencies, "volumes">,
  scope: Scope,
): Promise<readonly ContainerMount[]> {
  const mounts: ContainerMount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = volumes.get(mount.name);
    if (volume === undefined) {
      throw failure(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    }
    const path = subPathOf(mount, variables);
    const part =
      path === ""
        ? { hostPath: volume.hostPath, isFolder: true }
        : await dependencies.volumes.mountSubPath(
            pod.metadata.uid,
            { volume, container: container.name, index, path, create: volume.readOnly !== true },
            scope,
          );
    mounts.push(containerMount(mount, volume, part));
  }
  return mounts;
}

function containerMount(
  mount: VolumeMount,
  volume: MountedVolume,
  { hostPath, isFolder }: MountedSubPath,
): ContainerMount {
  const propagation = (mount.mountPropagation ?? "None") as keyof typeof propagations;
  return {
    hostPath,
    mountPath: mount.mountPath,
    readOnly: mount.readOnly === true || volume.readOnly === true,
    // Below a file there is nothing, and crun fails to make one recursively read-only.
    recursiveReadOnly: isFolder ? recursion(mount, volume) : "Disabled",
    noExec: volume.noExec === true,
    ...(volume.idsMapped === true ? { idsMapped: true } : {}),
    propagation: propagations[propagation] ?? "private",
  };
}

/** An image's files may lie in several mounts, none of which is anybody's to write. */
function recursion(mount: VolumeMount, volume: MountedVolume): RecursiveReadOnly {
  return (mount.recursiveReadOnly ??
    (volume.noExec === true ? "IfPossible" : "Disabled")) as RecursiveReadOnly;
}

function subPathOf(mount: VolumeMount, variables: ReadonlyMap<string, string>): string {
  const path = mount.subPathExpr ? expand(mount.subPathExpr, variables) : (mount.subPath ?? "");
  if (path.startsWith("/")) throw failure(`error SubPath \`${path}\` must not be an absolute path`);
  if (path.split("/").includes("..")) {
    throw failure(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  }
  return path;
}

/** A path with a hole where a variable should be would be another one than the author meant. */
function expand(expression: string, variables: ReadonlyMap<string, string>): string {
  const missing = [...expression.matchAll(/\$\$|\$\(([^)]*)\)/g)]
    .map(([, name]) => name)
    .filter((name) => name !== undefined && !variables.get(name));
  if (missing.length > 0) throw failure(`missing value for ${[...new Set(missing)].sort().join(", ")}`);
  return expandReferences(expression, variables);
}

function failure(message: string): PeapodError {
  return new PeapodError("CreateContainerConfigError", message);
}
