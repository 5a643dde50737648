import { PeapodError } from "../base/errors.ts";
import { libc } from "./libc.ts";

/**
 * System calls that hold up the whole process until they are done, for programs that do nothing else: what they
 * measure must not be Node's event loop. Each throws `SystemCallFailed` (`WHAT: ERRNO`); read and write go on after
 * a signal.
 */
export interface BlockingCalls {
  /** read(2) into the start of `bytes`; 0 at the end. */
  read(fd: number, bytes: Buffer, length: number): number;
  /** write(2) until all is written. */
  write(fd: number, bytes: Buffer): void;
  /** open(2) of an existing file; a FIFO's waits for the other end. */
  open(path: string, access: "read" | "write" | "both"): number;
  close(fd: number): void;
  makeFifo(path: string): void;
  /** socket(2), bind(2), listen(2). A TCP address is 127.0.0.1 and any free port, which is returned. */
  listen(address: SocketAddress): { readonly fd: number; readonly address: SocketAddress };
  accept(fd: number): number;
  connect(address: SocketAddress): number;
  /** shutdown(2) of the writing side. */
  endWriting(fd: number): void;
  /** mmap(2) of the first `length` bytes, shared, for reading and writing. The mapping stays until the process ends. */
  mapShared(fd: number, length: number): SharedRegion;
  /** The CPUs on which this thread may run, in rising order (sched_getaffinity(2)). */
  allowedCPUs(): number[];
  /** This thread runs on these CPUs alone from now on (sched_setaffinity(2)). */
  runOn(cpus: readonly number[]): void;
  /** sched_yield(2). */
  yieldCPU(): void;
  /** getppid(2), the cheapest call there is: what one call costs this program. */
  nothing(): void;
}

export type SocketAddress =
  | { readonly kind: "tcp"; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** Memory that several processes have mapped, with the futexes in it (futex(2); offsets in bytes). */
export interface SharedRegion {
  readonly memory: ArrayBuffer;
  /** Sleeps while the 32-bit word at `offset` is `value`, at most a second: the caller looks again. */
  wait(offset: number, value: number): void;
  wake(offset: number): void;
}

// asm-generic/fcntl.h, linux/in.h, linux/tcp.h, linux/futex.h: the same on x86-64 and arm64.
const openFlags = { read: 0, write: 1, both: 2 } as const;
const closeOnExec = 0o2000000;
const families = { tcp: 2 /* AF_INET */, unix: 1 /* AF_UNIX */ } as const;
const streamSocket = 1;
const tcpProtocol = 6;
const noDelay = 1;
const shutdownWrite = 1;
const protectReadWrite = 3;
const mapShared = 1;
const futexWait = 0;
const futexWake = 1;
const futexNumbers: Partial<Record<NodeJS.Architecture, number>> = { x64: 202, arm64: 98 };
/** Bytes of a cpu_set_t for 8192 CPUs, the most that Linux can be built for; little-endian, so byte by byte. */
const affinityLength = 1024;
const interrupted = 4; // EINTR
const waitAgain = new Set([interrupted, 11 /* EAGAIN: the word has changed */, 110 /* ETIMEDOUT */]);

/** Loads the calls. Rejects with Unsupported where they can't be made. */
export async function blockingCalls(): Promise<BlockingCalls> {
  const loaded = await libc();
  if (loaded === undefined) {
    throw new PeapodError(
      "Unsupported",
      "the C library can't be called: koffi is not there for this platform",
    );
  }
  const { koffi, func, check, failure } = loaded;
  const futexNumber = futexNumbers[process.arch];

  const fail = (what: string): never => {
    throw failure(what);
  };

  const read = func("int64_t read(int fd, void *bytes, size_t length)");
  const write = func("int64_t write(int fd, const void *bytes, size_t length)");
  const open = func("int open(const char *path, int flags)");
  const close = func("int close(int fd)");
  const mkfifo = func("int mkfifo(const char *path, unsigned int mode)");
  const socket = func("int socket(int domain, int type, int protocol)");
  const bind = func("int bind(int fd, const void *address, unsigned int length)");
  const listen = func("int listen(int fd, int backlog)");
  const accept = func("int accept(int fd, void *address, void *length)");
  const connect = func("int connect(int fd, const void *address, unsigned int length)");
  const getsockname = func("int getsockname(int fd, void *address, void *length)");
  const setsockopt = func(
    "int setsockopt(int fd, int level, int name, const void *value, unsigned int length)",
  );
  const shutdown = func("int shutdown(int fd, int how)");
  const mmap = func(
    "void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)",
  );
  const futex = func(
    "long syscall(long number, void *word, int operation, int value, const void *timeout, void *word2, int value3)",
  );
  const getAffinity = func("int sched_getaffinity(int thread, size_t length, void *mask)");
  const setAffinity = func("int sched_setaffinity(int thread, size_t length, const void *mask)");
  const schedYield = func("int sched_yield()");
  const getppid = func("int getppid()");

  const makeSocket = ({ kind }: SocketAddress) =>
    check(`socket ${kind}`, socket(families[kind], streamSocket | closeOnExec, 0));
  const sendAtOnce = (fd: number, kind: SocketAddress["kind"]) => {
    if (kind !== "tcp") return;
    const on = Buffer.alloc(4);
    on.writeInt32LE(1);
    check("setsockopt TCP_NODELAY", setsockopt(fd, tcpProtocol, noDelay, on, on.length));
  };
  const acceptedKinds = new Map<number, SocketAddress["kind"]>();

  return {
    read(fd, bytes, length) {
      for (;;) {
        const count = Number(read(fd, bytes, length));
        if (count !== -1) return count;
        if (koffi.errno() !== interrupted) fail(`read ${fd}`);
      }
    },
    write(fd, bytes) {
      for (let rest = bytes; rest.length > 0; ) {
        const count = Number(write(fd, rest, rest.length));
        if (count === rest.length) return;
        if (count === -1 && koffi.errno() !== interrupted) fail(`write ${fd}`);
        if (count > 0) rest = rest.subarray(count);
      }
    },
    open: (path, access) => check(`open ${path}`, open(path, openFlags[access] | closeOnExec)),
    close: (fd) => void close(fd),
    makeFifo: (path) => void check(`mkfifo ${path}`, mkfifo(path, 0o600)),
    listen(address) {
      const fd = makeSocket(address);
      const bytes = socketAddress(address);
      check(`bind ${address.kind}`, bind(fd, bytes, bytes.length));
      check(`listen ${address.kind}`, listen(fd, 16));
      acceptedKinds.set(fd, address.kind);
      if (address.kind === "unix") return { fd, address };
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      check("getsockname", getsockname(fd, bytes, length));
      return { fd, address: { kind: "tcp", port: bytes.readUInt16BE(2) } };
    },
    accept(fd) {
      const accepted = check(`accept ${fd}`, accept(fd, null, null));
      sendAtOnce(accepted, acceptedKinds.get(fd) ?? "unix");
      return accepted;
    },
    connect(address) {
      const fd = makeSocket(address);
      const bytes = socketAddress(address);
      check(`connect ${address.kind}`, connect(fd, bytes, bytes.length));
      sendAtOnce(fd, address.kind);
      return fd;
    },
    endWriting: (fd) => void check(`shutdown ${fd}`, shutdown(fd, shutdownWrite)),
    mapShared(fd, length) {
      const start = BigInt(mmap(null, length, protectReadWrite, mapShared, fd, 0));
      if (BigInt.asIntN(64, start) === -1n) fail("mmap");
      if (futexNumber === undefined) {
        throw new PeapodError(
          "Unsupported",
          `shared memory can't be waited on: no futex number for ${process.arch}`,
        );
      }
      // struct timespec: a waker that died must not hold up this process for ever.
      const second = Buffer.alloc(16);
      second.writeBigInt64LE(1n, 0);
      const memory = koffi.view(start, length);
      return {
        memory,
        wait(offset, value) {
          const result = futex(futexNumber, start + BigInt(offset), futexWait, value, second, null, 0);
          if (Number(result) === -1 && !waitAgain.has(koffi.errno())) fail("futex wait");
        },
        wake(offset) {
          futex(futexNumber, start + BigInt(offset), futexWake, 1, null, null, 0);
        },
      };
    },
    allowedCPUs() {
      const mask = Buffer.alloc(affinityLength);
      check("sched_getaffinity", getAffinity(0, mask.length, mask));
      return Array.from({ length: affinityLength * 8 }, (_, cpu) => cpu).filter(
        (cpu) => ((mask[cpu >> 3] ?? 0) >> (cpu & 7)) & 1,
      );
    },
    runOn(cpus) {
      const mask = Buffer.alloc(affinityLength);
      for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
      check(`sched_setaffinity ${cpus}`, setAffinity(0, mask.length, mask));
    },
    yieldCPU: () => void schedYield(),
    nothing: () => void getppid(),
  };
}

/** struct sockaddr_in of 127.0.0.1, or struct sockaddr_un. */
function socketAddress(address: SocketAddress): Buffer {
  if (address.kind === "tcp") {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt16LE(families.tcp, 0);
    bytes.writeUInt16BE(address.port, 2);
    bytes.set([127, 0, 0, 1], 4);
    return bytes;
  }
  const bytes = Buffer.alloc(2 + Buffer.byteLength(address.path) + 1);
  bytes.writeUInt16LE(families.unix, 0);
  bytes.write(address.path, 2);
  return bytes;
}
