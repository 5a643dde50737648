import { kubernetesTime } from "../base/clock.ts";
import { type ChannelFact, partyOf, scopeWithin } from "./fact.ts";
import { type Sharer, sharerEndpoints } from "./mapped.ts";
import type { FileUse, PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint, Evidence } from "./types.ts";
import { pathInContainer, volumePath } from "./volume-paths.ts";

/** One way in which one process uses a file. */
interface FileSharer extends Sharer {
  readonly evidence: Evidence;
  /** Changes when it was used again. */
  readonly moved: string;
}

/** One file, by whatever name. */
interface UsedFile {
  readonly sharers: FileSharer[];
  /** `VOLUME:/path`. */
  label: string;
  size: number;
  /** Somebody has it open or mapped now. */
  held: boolean;
}

/** As many files of one volume that the same containers use by turns have a row each; more of them share one. */
const maxRows = 5;

/**
 * Regular files of the pod's volumes that several containers use, at least one of them to write: at the same time, by
 * descriptors and mappings, or one after the other, as events told.
 */
export function sharedFileChannels(snapshot: PodSnapshot): ChannelFact[] {
  const shared = [...usedFiles(snapshot).values()].filter(({ sharers }) => isShared(sharers));
  const named = [...Map.groupBy(shared, ({ label }) => label).values()].map(together);
  const { held = [], passing = [] } = Object.groupBy(named, (file) => (file.held ? "held" : "passing"));
  const byEnds = Map.groupBy(passing, (file) => `${volumeOf(file)} ${endsOf(file)}`);
  return [
    ...held.map((file) => fileFact(file.label, file)),
    ...[...byEnds].flatMap(([ends, files]) =>
      files.length > maxRows
        ? [fileFact(ends, { ...together(files), label: folderOf(files) })]
        : files.map((file) => fileFact(file.label, file)),
    ),
  ];
}

/** By identity: equal in every mount namespace, whatever the path. */
function usedFiles(snapshot: PodSnapshot): Map<string, UsedFile> {
  const { pod, processes, fileUses } = snapshot;
  const files = new Map<string, UsedFile>();
  const add = (identity: string, label: string, sharer: FileSharer): UsedFile => {
    const file = files.get(identity) ?? { sharers: [], label, size: 0, held: false };
    files.set(identity, file);
    file.sharers.push(sharer);
    return file;
  };
  const addHeld = (identity: string, path: string, sharer: Omit<FileSharer, "evidence">, size: number) => {
    const { process, writes } = sharer;
    const place = volumePath(pod, process.container, path.replace(/ \(deleted\)$/, ""));
    if (place === undefined) return;
    const detail = `${process.container}: ${process.name} has ${path} open ${writes ? "to write" : "to read"}`;
    const file = add(identity, place.label, {
      ...sharer,
      path,
      evidence: { source: "/proc/PID/fd", detail },
    });
    file.size = Math.max(file.size, size);
    file.held = true;
  };
  for (const process of processes) {
    for (const { kind, identity, link, access, size, position, modifiedAt } of process.descriptors) {
      if (kind !== "file" || identity === undefined) continue;
      const sharer = { process, writes: access !== "read", moved: `${position}/${modifiedAt}` };
      addHeld(identity, link, sharer, size ?? 0);
    }
    for (const { identity, path, writable } of process.mappings) {
      if (path.startsWith("/")) addHeld(identity, path, { process, writes: writable, moved: "" }, 0);
    }
  }
  // A file that was written under one name and renamed is known by the one under which it was read.
  const readersLast = [...fileUses].sort((a, b) => Number(a.access === "read") - Number(b.access === "read"));
  for (const use of readersLast) {
    if (use.kind !== "file") continue;
    const file = add(use.identity, use.label, passingSharer(snapshot, use));
    if (!file.held) file.label = use.label;
  }
  return files;
}

function passingSharer({ pod }: PodSnapshot, use: FileUse): FileSharer {
  const { container, hostPID, label, at } = use;
  const path = pathInContainer(pod, container, label);
  const writes = use.access === "write";
  const who = use.process ?? `PID ${hostPID}`;
  const detail = `${container}: ${who} had ${path ?? label} open to ${use.access} and closed it, ${kubernetesTime(at)}`;
  return {
    process: partyOf(use),
    writes,
    ...(path === undefined ? {} : { path }),
    evidence: { source: "fanotify", detail },
    moved: `${at}`,
  };
}

function isShared(sharers: readonly Sharer[]): boolean {
  return (
    new Set(sharers.map(({ process }) => process.container)).size > 1 && sharers.some(({ writes }) => writes)
  );
}

function together(files: readonly UsedFile[]): UsedFile {
  return {
    sharers: files.flatMap(({ sharers }) => sharers),
    label: files[0]?.label ?? "",
    size: Math.max(...files.map(({ size }) => size)),
    held: files.some(({ held }) => held),
  };
}

function volumeOf({ label }: UsedFile): string {
  return label.slice(0, label.indexOf(":"));
}

function endsOf({ sharers }: UsedFile): string {
  return sharerEndpoints(sharers)
    .map(({ container, role }) => `${role} ${container}`)
    .sort()
    .join(" ");
}

/** `VOLUME:/folder/*` for the deepest folder that has all of them. */
function folderOf(files: readonly UsedFile[]): string {
  const folders = files.map(({ label }) => label.split("/").slice(0, -1));
  const [first = []] = folders;
  const common = first.filter((part, index) => folders.every((folder) => folder[index] === part));
  return `${common.join("/")}/*`;
}

function fileFact(key: string, { sharers, label, size }: UsedFile): ChannelFact {
  const endpoints: readonly ChannelEndpoint[] = sharerEndpoints(sharers);
  return {
    key: `SharedFile ${key}`,
    type: "SharedFile",
    label: "file",
    scope: scopeWithin(endpoints),
    address: label,
    ...(size === 0 ? {} : { size }),
    endpoints,
    condition: "Open",
    activity: sharers.map(({ moved }) => moved).join(" "),
    readings: [],
    evidence: sharers.map(({ evidence }) => evidence),
  };
}
