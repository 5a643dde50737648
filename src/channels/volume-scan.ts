import { type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";
import { readFileFacts } from "../host/proc.ts";
import type { PodFile, WatchedPlace } from "./snapshot.ts";
import type { TableNames } from "./table-names.ts";
import type { ObservedPod } from "./types.ts";

/** A volume may be a whole source tree; what containers talk through lies near its top. */
const maxDepth = 4;
const maxEntries = 4_000;

/**
 * The FIFOs and sockets in a pod's volumes, and all files of its /dev/shm. Looks at names and stat(2) only, goes
 * at most four folders deep and at 4000 names per pod, and follows no symbolic links.
 */
export function scanFiles(pod: ObservedPod): PodFile[] {
  const budget = { left: maxEntries };
  const files: PodFile[] = [];
  for (const volume of pod.volumes) {
    scan(volume.hostPath, volume.hostPath, volume.name, 0, budget, files);
  }
  scan(pod.shm, pod.shm, undefined, 0, budget, files);
  return files;
}

/**
 * Where in a pod's volumes the files and folders are that the kernel's tables name so. As deep and as far as
 * {@link scanFiles}.
 */
export function findInVolumes(
  pod: ObservedPod,
  identities: ReadonlySet<string>,
  names: TableNames,
): Map<string, WatchedPlace> {
  const budget = { left: maxEntries };
  const found = new Map<string, WatchedPlace>();
  for (const { name, hostPath } of pod.volumes) {
    const tableName = names.ofVolume(hostPath);
    const search = (path: string, depth: number) => {
      const facts = readFileFacts(path);
      if (facts === undefined) return;
      const named = tableName(facts.identity);
      if (identities.has(named)) {
        const label = `${name}:${path.slice(hostPath.length) || "/"}`;
        found.set(named, { label, volume: name, hostPath: path, modifiedAt: facts.modifiedAt });
      }
      if (facts.kind !== "folder" || depth > maxDepth) return;
      for (const entry of entriesOf(path)) {
        if (budget.left <= 0 || found.size === identities.size) return;
        budget.left -= 1;
        if (entry.isDirectory() || entry.isFile()) search(join(path, entry.name), depth + 1);
      }
    };
    search(hostPath, 0);
  }
  return found;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function scan(
  root: string,
  folder: string,
  volume: string | undefined,
  depth: number,
  budget: { left: number },
  files: PodFile[],
): void {
  for (const entry of entriesOf(folder)) {
    if (budget.left <= 0) return;
    budget.left -= 1;
    const hostPath = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (depth < maxDepth) scan(root, hostPath, volume, depth + 1, budget, files);
    } else if (entry.isFIFO() || entry.isSocket() || (volume === undefined && entry.isFile())) {
      const facts = readFileFacts(hostPath);
      if (facts === undefined) continue;
      const inside = hostPath.slice(root.length);
      files.push({
        identity: facts.identity,
        kind: facts.kind,
        label: volume === undefined ? inside : `${volume}:${inside}`,
        hostPath,
        volume,
        size: facts.size,
        modifiedAt: facts.modifiedAt,
        accessedAt: facts.accessedAt,
      });
    }
  }
}
