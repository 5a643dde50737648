import { closeSync, readSync } from "node:fs";
import { openIfExists } from "./files.ts";
import { type Libc, libc } from "./libc.ts";

/** The tables of /proc/sysvipc (sysvipc(7), proc_sysvipc(5)); PIDs as the reader's PID namespace numbers them. */

/** A System V shared memory segment. */
export interface SharedMemorySegment {
  readonly key: number;
  readonly id: number;
  readonly size: number;
  readonly creator: number;
  readonly lastOperator: number;
  readonly attached: number;
}

/** A System V semaphore set. */
export interface SemaphoreSet {
  readonly key: number;
  readonly id: number;
  readonly count: number;
  /** Seconds since the epoch of the last semop(2); 0 for none. */
  readonly operatedAt: number;
}

/** A System V message queue. */
export interface MessageQueue {
  readonly key: number;
  readonly id: number;
  readonly bytes: number;
  readonly messages: number;
  readonly lastSender: number;
  readonly lastReceiver: number;
  /** Seconds since the epoch; 0 for never. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** The System V objects of one IPC namespace. */
export interface SystemVTables {
  readonly sharedMemory: readonly SharedMemorySegment[];
  readonly semaphores: readonly SemaphoreSet[];
  readonly messageQueues: readonly MessageQueue[];
}

const tables = ["shm", "sem", "msg"] as const;

/**
 * The tables of one IPC namespace, which stay readable from anywhere: a file of /proc/sysvipc belongs to the namespace in
 * which it was opened.
 */
export class SystemVReader {
  readonly #files: ReadonlyMap<string, number>;

  /** Opens those of the calling thread's namespace. Open ones keep the namespace alive. */
  constructor() {
    this.#files = new Map(
      tables.flatMap((table) => {
        const fd = openIfExists(`/proc/sysvipc/${table}`);
        return fd === undefined ? [] : [[table, fd] as const];
      }),
    );
  }

  /** A table that the kernel doesn't have is empty. */
  read(): SystemVTables {
    const text = (table: (typeof tables)[number]) => {
      const fd = this.#files.get(table);
      return fd === undefined ? "" : readFromStart(fd);
    };
    return {
      sharedMemory: parseSharedMemory(text("shm")),
      semaphores: parseSemaphores(text("sem")),
      messageQueues: parseMessageQueues(text("msg")),
    };
  }

  close(): void {
    for (const fd of this.#files.values()) closeSync(fd);
  }
}

/** The whole of a file without a size of its own. */
function readFromStart(fd: number): string {
  const parts: Buffer[] = [];
  for (let position = 0; ; ) {
    const part = Buffer.allocUnsafe(4096);
    const length = readSync(fd, part, 0, part.length, position);
    if (length === 0) return Buffer.concat(parts).toString();
    parts.push(part.subarray(0, length));
    position += length;
  }
}

/** The PID that operated last on each semaphore of a set of the calling thread's IPC namespace; empty for a set that is gone. */
export type LastOperators = (set: Pick<SemaphoreSet, "id" | "count">) => readonly number[];

const lastOperatorCommand = 11; // GETPID of linux/sem.h
const maxSemaphores = 1_000;

let operators: LastOperators | undefined;

/** Loads {@link LastOperators} on first use; undefined where system calls can't be made. */
export async function lastOperators(): Promise<LastOperators | undefined> {
  const loaded = await libc();
  if (loaded === undefined) return undefined;
  operators ??= load(loaded);
  return operators;
}

function load({ func }: Libc): LastOperators {
  const semctl = func("int semctl(int set, int number, int command)");
  return ({ id, count }) =>
    Array.from({ length: Math.min(count, maxSemaphores) }, (_, number): number =>
      semctl(id, number, lastOperatorCommand),
    ).filter((pid) => pid > 0);
}

/** The rows of one table by column name. */
function rows(text: string): Record<string, number>[] {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  const header = lines.shift() ?? [];
  return lines
    .filter((fields) => fields.length === header.length)
    .map((fields) => Object.fromEntries(header.map((name, index) => [name, Number(fields[index])])));
}

/** Parses /proc/sysvipc/shm. */
export function parseSharedMemory(text: string): SharedMemorySegment[] {
  return rows(text).map((row) => ({
    key: row.key ?? 0,
    id: row.shmid ?? 0,
    size: row.size ?? 0,
    creator: row.cpid ?? 0,
    lastOperator: row.lpid ?? 0,
    attached: row.nattch ?? 0,
  }));
}

/** Parses /proc/sysvipc/sem. */
export function parseSemaphores(text: string): SemaphoreSet[] {
  return rows(text).map((row) => ({
    key: row.key ?? 0,
    id: row.semid ?? 0,
    count: row.nsems ?? 0,
    operatedAt: row.otime ?? 0,
  }));
}

/** Parses /proc/sysvipc/msg. */
export function parseMessageQueues(text: string): MessageQueue[] {
  return rows(text).map((row) => ({
    key: row.key ?? 0,
    id: row.msqid ?? 0,
    bytes: row.cbytes ?? 0,
    messages: row.qnum ?? 0,
    lastSender: row.lspid ?? 0,
    lastReceiver: row.lrpid ?? 0,
    sentAt: row.stime ?? 0,
    receivedAt: row.rtime ?? 0,
  }));
}
