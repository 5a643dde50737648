/** Flags of mount(2) (linux/mount.h) by the names that mount(8) and an OCI bundle use. */
const flagsByName: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  remount: 32,
  dirsync: 128,
  nosymfollow: 256,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  rbind: 4096 | 16384,
  relatime: 1 << 21,
  strictatime: 1 << 24,
  lazytime: 1 << 25,
};

const recursive = 16384;
const propagationByName: Readonly<Record<string, number>> = {
  unbindable: 1 << 17,
  runbindable: (1 << 17) | recursive,
  private: 1 << 18,
  rprivate: (1 << 18) | recursive,
  slave: 1 << 19,
  rslave: (1 << 19) | recursive,
  shared: 1 << 20,
  rshared: (1 << 20) | recursive,
};

/** Names that switch a flag off or are the default: nothing to set. */
const defaults = new Set(["rw", "suid", "dev", "exec", "async", "atime", "diratime", "defaults"]);

/** Flags that a bind mount takes over from its source and that a remount would drop unless repeated. */
export const perMountFlags = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"];

/** Mount options as mount(2) takes them. */
export interface MountArguments {
  readonly flags: number;
  /** Propagation is set by a call of its own after the mount; 0: none asked for. */
  readonly propagation: number;
  /** What the file system itself reads, comma-separated. */
  readonly data: string;
}

/** Sorts mount(8)'s words into what mount(2) takes as flags and what it hands to the file system. */
export function parseMountOptions(options: readonly string[]): MountArguments {
  let flags = 0;
  let propagation = 0;
  const data: string[] = [];
  for (const option of options) {
    const flag = flagsByName[option];
    const kind = propagationByName[option];
    if (flag !== undefined) flags |= flag;
    else if (kind !== undefined) propagation |= kind;
    else if (!defaults.has(option) && option !== "") data.push(option);
  }
  return { flags, propagation, data: data.join(",") };
}
