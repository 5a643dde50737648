import { closeSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { getSystemErrorName } from "node:util";
import { PeapodError } from "../base/errors.ts";
import { type Libc, libc } from "./libc.ts";

/** How a process ended. */
export interface ProcessEnding {
  readonly exitCode: number | null;
  /** Number of the signal that killed it. */
  readonly signal: number | null;
}

/** A child process started by {@link QuickSpawn}. */
export interface QuickProcess {
  readonly pid: number;
  readonly exited: Promise<ProcessEnding>;
  /** Sends a signal unless the process has ended. */
  kill(signal: NodeJS.Signals): void;
}

/** What a child's file descriptor 0, 1, 2 … is: a descriptor of this process, or /dev/null. */
export type ChildDescriptor = number | "null";

export interface QuickSpawnOptions {
  readonly descriptors: readonly ChildDescriptor[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Own session, so that signals sent to the daemon's process group pass it by. */
  readonly newSession?: boolean;
}

/** posix_spawn(3): see {@link quickSpawn}. */
export interface QuickSpawn {
  /** Starts a program found along PATH. Throws SystemCallFailed, e.g. `start nft: ENOENT`. */
  start(file: string, args: readonly string[], options: QuickSpawnOptions): QuickProcess;
  /** A pipe for a child: `child` goes into its descriptors and must be closed here once it was started. */
  outputPipe(): { readonly stream: Readable; readonly child: number };
  inputPipe(): { readonly stream: Writable; readonly child: number };
}

/**
 * Starts processes by posix_spawn(3), which shares this process' memory until the program is loaded, where
 * Node.js forks: a fork copies the page tables and stops the event loop meanwhile, 2 to 4 ms at a daemon's size and
 * growing with it (docs/decisions/0004-container-start.md). Undefined where koffi cannot be loaded or
 * PEAPOD_NO_SYSTEM_CALLS=1: then Node's own way is used. Children are reaped when SIGCHLD says so; Node.js waits only
 * for its own.
 */
export async function quickSpawn(): Promise<QuickSpawn | undefined> {
  const loaded = await libc();
  if (loaded === undefined) return undefined;
  quick ??= load(loaded);
  return quick;
}

let quick: QuickSpawn | undefined;

// Sizes that hold glibc's and musl's structures (at most 336 bytes) with room to spare.
const structureSize = 512;
const signalSetSize = 128;
const defaultSignalsFlag = 0x04;
const signalMaskFlag = 0x08;
const newSessionFlag = 0x80;
const doNotWait = 1;
const reapMilliseconds = 1_000;
const closeOnExec = 0x80000;
const readOnly = 0;
const writeOnly = 1;

function load({ func, check }: Libc): QuickSpawn {
  const call = (declaration: string) => func(declaration);
  const spawn = call(
    "int posix_spawnp(_Out_ int *pid, const char *file, void *actions, void *attributes, const char **argv, const char **envp)",
  );
  const initActions = call("int posix_spawn_file_actions_init(void *actions)");
  const freeActions = call("int posix_spawn_file_actions_destroy(void *actions)");
  const addDuplicate = call("int posix_spawn_file_actions_adddup2(void *actions, int fd, int target)");
  const addOpen = call(
    "int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, uint mode)",
  );
  const addFolder = call("int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)");
  const initAttributes = call("int posix_spawnattr_init(void *attributes)");
  const freeAttributes = call("int posix_spawnattr_destroy(void *attributes)");
  const setFlags = call("int posix_spawnattr_setflags(void *attributes, short flags)");
  const setDefaults = call("int posix_spawnattr_setsigdefault(void *attributes, void *set)");
  const setMask = call("int posix_spawnattr_setsigmask(void *attributes, void *set)");
  const fillSet = call("int sigfillset(void *set)");
  const emptySet = call("int sigemptyset(void *set)");
  const wait = call("int waitpid(int pid, _Out_ int *status, int options)");
  const pipe = call("int pipe2(_Out_ int *fds, int flags)");

  // What Node.js ignores or blocks for itself (SIGPIPE) must not be inherited.
  const allSignals = Buffer.alloc(signalSetSize);
  const noSignals = Buffer.alloc(signalSetSize);
  fillSet(allSignals);
  emptySet(noSignals);
  const children = new Map<number, (ending: ProcessEnding) => void>();
  let safetyNet: NodeJS.Timeout | undefined;
  const reap = () => {
    for (const pid of children.keys()) reapOne(pid);
  };
  const startReaping = () => {
    if (safetyNet !== undefined) return;
    process.on("SIGCHLD", reap);
    // Keeps the event loop alive while a child runs, and finds one whose signal came before anybody listened.
    safetyNet = setInterval(reap, reapMilliseconds);
  };
  const stopReaping = () => {
    if (children.size > 0) return;
    process.off("SIGCHLD", reap);
    clearInterval(safetyNet);
    safetyNet = undefined;
  };
  const reapOne = (pid: number) => {
    const status = [0];
    if (wait(pid, status, doNotWait) !== pid) return;
    const ended = children.get(pid);
    children.delete(pid);
    stopReaping();
    ended?.(endingOf(status[0] ?? 0));
  };

  return {
    start(file, args, options) {
      const actions = Buffer.alloc(structureSize);
      const attributes = Buffer.alloc(structureSize);
      initActions(actions);
      initAttributes(attributes);
      try {
        options.descriptors.forEach((descriptor, target) => {
          if (descriptor === "null")
            addOpen(actions, target, "/dev/null", target === 0 ? readOnly : writeOnly, 0);
          else addDuplicate(actions, descriptor, target);
        });
        if (options.cwd !== undefined) addFolder(actions, options.cwd);
        setDefaults(attributes, allSignals);
        setMask(attributes, noSignals);
        const session = options.newSession === true ? newSessionFlag : 0;
        setFlags(attributes, defaultSignalsFlag | signalMaskFlag | session);
        const env = Object.entries(options.env).flatMap(([name, value]) =>
          value === undefined ? [] : [`${name}=${value}`],
        );
        startReaping();
        const pid = [0];
        const errno: number = spawn(pid, file, actions, attributes, [file, ...args, null], [...env, null]);
        if (errno !== 0) {
          stopReaping();
          const name = getSystemErrorName(-errno);
          throw new PeapodError("SystemCallFailed", `start ${file}: ${name}`, { details: { errno: name } });
        }
        return track(pid[0] ?? 0);
      } finally {
        freeActions(actions);
        freeAttributes(attributes);
      }
    },
    outputPipe() {
      const [reader, writer] = makePipe();
      return { stream: new Socket({ fd: reader, readable: true, writable: false }), child: writer };
    },
    inputPipe() {
      const [reader, writer] = makePipe();
      return { stream: new Socket({ fd: writer, readable: false, writable: true }), child: reader };
    },
  };

  function track(pid: number): QuickProcess {
    let isOver = false;
    const exited = new Promise<ProcessEnding>((resolve) => {
      children.set(pid, (ending) => {
        isOver = true;
        resolve(ending);
      });
    });
    return {
      pid,
      exited,
      kill(signal) {
        // Until it is reaped here its number belongs to nobody else.
        if (!isOver) process.kill(pid, signal);
      },
    };
  }

  function makePipe(): [number, number] {
    const fds = Buffer.alloc(8);
    check("pipe", pipe(fds, closeOnExec));
    return [fds.readInt32LE(0), fds.readInt32LE(4)];
  }
}

/** wait(2)'s status word. */
function endingOf(status: number): ProcessEnding {
  const signal = status & 0x7f;
  return signal === 0 ? { exitCode: (status >> 8) & 0xff, signal: null } : { exitCode: null, signal };
}

/** Closes the child's ends of pipes after it was started (or could not be). */
export function closeAll(descriptors: readonly ChildDescriptor[]): void {
  for (const descriptor of descriptors) if (descriptor !== "null") closeSync(descriptor);
}
