import { chmodSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { totalmem } from "node:os";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { isFileSystemRoot, mount } from "../host/mounts.ts";
import { initAndAppContainers } from "../kube/pod-containers.ts";
import { parseQuantity, quantityValue } from "../kube/quantity.ts";
import type { StoredPod } from "../kube/types.ts";
import { applyOwnership, ownershipOf } from "./ownership.ts";
import type { MountedVolume } from "./types.ts";
import type { VolumeRequest, VolumeType } from "./volume-type.ts";

/**
 * `emptyDir`: a folder of the node's disk, or with `medium: Memory` a tmpfs, open to every user of the pod
 * (https://kubernetes.io/docs/concepts/storage/volumes/#emptydir). `sizeLimit` is the tmpfs' size; on disk it is
 * measured, not enforced. With `medium: HugePages` or `HugePages-SIZE` a hugetlbfs of the page size that the pod asks for.
 */
export const emptyDir: VolumeType = {
  field: "emptyDir",
  plugin: "kubernetes.io~empty-dir",
  async mount(request, scope) {
    const { volume } = request;
    const medium = volume.emptyDir?.medium ?? "";
    if (medium.startsWith("HugePages")) await mountHugePages(request, medium, scope);
    else if (medium === "Memory") await mountMemory(request, scope);
    else if (medium !== "") throw new PeapodError("FailedMount", `unknown storage medium "${medium}"`);
    else makeFolder(request);
    return describe(request);
  },
  find(request) {
    if (!existsSync(request.folder)) return undefined;
    const volume = describe(request);
    return volume.medium === "disk" || isFileSystemRoot(request.folder) ? volume : undefined;
  },
  limit: ({ volume }) => sizeLimit(volume.emptyDir?.sizeLimit),
};

async function mountMemory(request: VolumeRequest, scope: Scope): Promise<void> {
  const { folder, pod } = request;
  if (isFileSystemRoot(folder)) return;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const options = [`size=${memorySize(request)}`, "mode=0777"];
  await mount({ type: "tmpfs", source: "tmpfs", target: folder, options }, scope);
  applyOwnership(folder, false, ownershipOf(pod.spec));
}

async function mountHugePages(request: VolumeRequest, medium: string, scope: Scope): Promise<void> {
  const { folder, pod, volume } = request;
  if (isFileSystemRoot(folder)) return;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const limit = sizeLimit(volume.emptyDir?.sizeLimit);
  const size = limit === undefined ? [] : [`size=${limit}`];
  const options = [`pagesize=${hugePageSize(pod, medium)}`, ...size, "mode=0777"];
  await mount({ type: "hugetlbfs", source: "nodev", target: folder, options }, scope);
  applyOwnership(folder, false, ownershipOf(pod.spec));
}

/** As mount(8) takes it: the size that the medium names, else the only one that containers ask for. */
function hugePageSize({ spec }: StoredPod, medium: string): string {
  const prefix = "hugepages-";
  const containers = [...initAndAppContainers(spec), { resources: spec.resources }];
  const asked = new Set(
    containers
      .flatMap(({ resources }) => Object.keys({ ...resources?.requests, ...resources?.limits }))
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length)),
  );
  const [, named] = medium.split("-");
  if (named !== undefined && !asked.has(named)) {
    throw new PeapodError("FailedMount", `medium ${medium}: no container asks for ${prefix}${named}`);
  }
  if (named === undefined && asked.size !== 1) {
    const which =
      asked.size === 0 ? "no container asks for huge pages" : "containers ask for several page sizes";
    throw new PeapodError("FailedMount", `medium ${medium}: ${which}`);
  }
  return (named ?? [...asked][0] ?? "").replace(/i$/, "");
}

/** It appears with its final mode and group, so that one which is there needs nothing any more. */
function makeFolder({ folder, pod }: VolumeRequest): void {
  if (existsSync(folder)) return;
  const unfinished = `${folder}~`;
  mkdirSync(unfinished, { recursive: true });
  // Whatever the umask is.
  chmodSync(unfinished, 0o777);
  applyOwnership(unfinished, false, ownershipOf(pod.spec));
  renameSync(unfinished, folder);
}

function describe({ volume, folder }: VolumeRequest): MountedVolume {
  const medium = (volume.emptyDir?.medium ?? "") === "" ? "disk" : "memory";
  return { name: volume.name, hostPath: folder, owned: true, medium };
}

/**
 * Bytes of a tmpfs: the least of half this machine's memory (the kernel's own default), the pod's memory limit and
 * the volume's sizeLimit, as far as there are any (KEP-1967).
 */
function memorySize({ pod, volume }: VolumeRequest): number {
  const limits = [Math.floor(totalmem() / 2), podMemoryLimit(pod), sizeLimit(volume.emptyDir?.sizeLimit)];
  return Math.min(...limits.filter((limit) => limit !== undefined && limit > 0).map(Number));
}

/** Sum of the containers' memory limits when every one has a limit; init containers count where one is larger. */
export function podMemoryLimit(pod: StoredPod): number | undefined {
  const limitsOf = (containers: StoredPod["spec"]["containers"]) =>
    containers.map((container) => sizeLimit(container.resources?.limits?.memory) ?? 0);
  const main = limitsOf(pod.spec.containers);
  const init = limitsOf(pod.spec.initContainers ?? []);
  if ([...main, ...init].includes(0)) return undefined;
  return Math.max(
    main.reduce((sum, limit) => sum + limit, 0),
    ...init,
  );
}

function sizeLimit(quantity: string | number | undefined): number | undefined {
  const parsed = quantity === undefined ? undefined : parseQuantity(quantity);
  const bytes = parsed === undefined ? 0 : Number(quantityValue(parsed));
  return bytes > 0 ? bytes : undefined;
}
