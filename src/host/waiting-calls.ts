/**
 * Numbers of the system calls in which a thread can wait for another process, by architecture
 * (asm/unistd_64.h for x86-64, asm-generic/unistd.h for arm64). Call numbers are a stable interface of the
 * kernel, unlike the names in /proc/PID/wchan.
 */
const numbers: Partial<Record<NodeJS.Architecture, Record<string, number>>> = {
  x64: {
    read: 0,
    write: 1,
    open: 2,
    readv: 19,
    writev: 20,
    connect: 42,
    accept: 43,
    sendto: 44,
    recvfrom: 45,
    sendmsg: 46,
    recvmsg: 47,
    semop: 65,
    msgsnd: 69,
    msgrcv: 70,
    flock: 73,
    futex: 202,
    semtimedop: 220,
    mq_timedsend: 242,
    mq_timedreceive: 243,
    openat: 257,
    openat2: 437,
  },
  arm64: {
    flock: 32,
    openat: 56,
    read: 63,
    write: 64,
    readv: 65,
    writev: 66,
    futex: 98,
    mq_timedsend: 182,
    mq_timedreceive: 183,
    msgrcv: 188,
    msgsnd: 189,
    semtimedop: 192,
    semop: 193,
    accept: 202,
    connect: 203,
    sendto: 206,
    recvfrom: 207,
    sendmsg: 211,
    recvmsg: 212,
    openat2: 437,
  },
};

const names = new Map(
  Object.entries(numbers[process.arch] ?? {}).map(([name, number]) => [number, name] as const),
);

/** The name of one of the system calls in which threads wait for each other; undefined for all others. */
export function systemCallName(number: number): string | undefined {
  return names.get(number);
}
