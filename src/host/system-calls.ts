import { PeapodError } from "../base/errors.ts";
import { type Libc, libc } from "./libc.ts";

/**
 * System calls made directly through libc, for the few places where a tool's process start costs ten times
 * the call itself. Each is synchronous and acts on the calling (main) thread, throws a {@link PeapodError}
 * `SystemCallFailed` with the message `WHAT: ERRNO`, and never returns an error code.
 *
 * setns(2) and unshare(2) move only the calling thread: whoever leaves a namespace must go back within the
 * same synchronous stretch of code, or everything else in the daemon runs elsewhere.
 */
export interface SystemCalls {
  /** mount(2). `data` holds the file system's own options. */
  mount(source: string, target: string, type: string, flags: number, data: string): void;
  /** umount2(2). */
  umount2(target: string, flags: number): void;
  /** unshare(2) with CLONE_NEW… of {@link namespaceFlags}. */
  unshare(flags: number): void;
  /** setns(2) of an open namespace file; `type` 0 takes any. */
  setns(fd: number, type: number): void;
  /** sethostname(2), in the calling thread's UTS namespace. */
  sethostname(name: string): void;
  /** socket(2), in the calling thread's network namespace. The caller owns the descriptor. */
  socket(domain: number, type: number): number;
  /** open_tree(2): a copy of the mount at `path`, not attached anywhere. The caller owns the descriptor. */
  copyMount(path: string, recursive: boolean): number;
  /** mount_setattr(2): gives an unattached copy the ID mapping of an open user namespace file. */
  mapMountIDs(mount: number, userNamespace: number, recursive: boolean): void;
  /** move_mount(2): attaches a copy at `target`. */
  attachMount(mount: number, target: string): void;
}

/** Flags of clone(2), unshare(2) and setns(2) (linux/sched.h). */
export const namespaceFlags = {
  mount: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
} as const;

/** The symbolic error (`EINVAL`) of a failed system call, or undefined for any other error. */
export function systemCallErrno(error: unknown): string | undefined {
  if (!(error instanceof PeapodError) || error.code !== "SystemCallFailed") return undefined;
  const details = error.details as { errno?: string } | undefined;
  return details?.errno;
}

/** System calls without a wrapper in older C libraries; their numbers are the same on every architecture. */
const callNumbers = { openTree: 428, moveMount: 429, mountSetAttributes: 442 } as const;

const currentFolder = -100;
const cloneFlag = 0x1;
const closeOnExecFlag = 0x80000;
const recursiveFlag = 0x8000;
const emptyPathFlag = 0x1000;
const moveFromEmptyPathFlag = 0x4;
const mapIDsAttribute = 0x100000n;
const mountAttributesSize = 32;

let calls: SystemCalls | undefined;

/**
 * The system calls, loaded on first use, or undefined where they cannot be made (no koffi for this platform, or
 * PEAPOD_NO_SYSTEM_CALLS=1): the caller then uses the system tool.
 */
export async function systemCalls(): Promise<SystemCalls | undefined> {
  const loaded = await libc();
  if (loaded === undefined) return undefined;
  calls ??= load(loaded);
  return calls;
}

function load(loaded: Libc): SystemCalls {
  const { func } = loaded;
  const check = (what: string, result: number): void => void loaded.check(what, result);
  const mount = func(
    "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)",
  );
  const umount2 = func("int umount2(const char *target, int flags)");
  const unshare = func("int unshare(int flags)");
  const setns = func("int setns(int fd, int type)");
  const sethostname = func("int sethostname(const char *name, size_t length)");
  const socket = func("int socket(int domain, int type, int protocol)");
  const openTree = func("syscall", "long", ["long", "int", "const char *", "uint"]);
  const moveMount = func("syscall", "long", [
    ...["long", "int", "const char *", "int", "const char *", "uint"],
  ]);
  const mountSetAttributes = func("syscall", "long", [
    ...["long", "int", "const char *", "uint", "void *", "size_t"],
  ]);
  return {
    mount: (source, target, type, flags, data) =>
      check(
        `mount ${target}: ${type === "" ? source : type}`,
        mount(source, target, type === "" ? null : type, flags, data === "" ? null : data),
      ),
    umount2: (target, flags) => check(`unmount ${target}`, umount2(target, flags)),
    unshare: (flags) => check(`unshare 0x${flags.toString(16)}`, unshare(flags)),
    setns: (fd, type) => check(`setns ${fd}`, setns(fd, type)),
    sethostname: (name) => check(`sethostname ${name}`, sethostname(name, Buffer.byteLength(name))),
    socket(domain, type) {
      const fd: number = socket(domain, type, 0);
      check(`socket ${domain} ${type}`, fd);
      return fd;
    },
    copyMount(path, recursive) {
      const flags = cloneFlag | closeOnExecFlag | (recursive ? recursiveFlag : 0);
      const fd = Number(openTree(callNumbers.openTree, currentFolder, path, flags));
      check(`copy mount ${path}`, fd);
      return fd;
    },
    mapMountIDs(mount, userNamespace, recursive) {
      // struct mount_attr: attr_set, attr_clr, propagation, userns_fd, 64 bits each.
      const attributes = Buffer.alloc(mountAttributesSize);
      attributes.writeBigUInt64LE(mapIDsAttribute, 0);
      attributes.writeBigUInt64LE(BigInt(userNamespace), 24);
      const flags = emptyPathFlag | (recursive ? recursiveFlag : 0);
      const result = mountSetAttributes(
        ...[callNumbers.mountSetAttributes, mount, "", flags, attributes, mountAttributesSize],
      );
      check("map the IDs of a mount", Number(result));
    },
    attachMount: (mount, target) =>
      check(
        `mount ${target}`,
        Number(moveMount(callNumbers.moveMount, mount, "", currentFolder, target, moveFromEmptyPathFlag)),
      ),
  };
}
