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

/** A command that prints all three tables; one process instead of three. Its exit code says nothing. */
export const listSystemV = "cat /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg";

/** Takes the output of {@link listSystemV} apart. A table that the kernel doesn't have is empty. */
export function splitSystemV(text: string): {
  readonly shm: string;
  readonly sem: string;
  readonly msg: string;
} {
  const tables = text.split(/^(?=\s*key\s)/m);
  const table = (column: string) => tables.find((each) => each.split("\n")[0]?.includes(column)) ?? "";
  return { shm: table(" shmid "), sem: table(" semid "), msg: table(" msqid ") };
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

/** Parses `ipcs -s -i ID`: PIDs of the last operation on each semaphore of the set, and how many wait. */
export function parseSemaphoreDetails(text: string): { pids: readonly number[]; waiting: number } {
  const semaphores = [...text.matchAll(/^(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$/gm)];
  return {
    pids: semaphores.map((match) => Number(match[5])).filter((pid) => pid > 0),
    waiting: semaphores.reduce((sum, match) => sum + Number(match[3]) + Number(match[4]), 0),
  };
}
