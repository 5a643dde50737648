/** A pod whose channels are known by construction. */
export interface TruthCase {
  readonly name: string;
  /** By container: words for talk.py; several programs with `--` between them. `V` is the shared volume. */
  readonly containers: Readonly<Record<string, string>>;
  /** `from -> to TYPE address` of every channel with two ends. */
  readonly edges: readonly string[];
  /** More of the pod's spec. */
  readonly spec?: object;
  /** Connections of the only TCP channel, where they are counted. */
  readonly connections?: number;
}

/** What the baseline and the counters see. */
export const cases: readonly TruthCase[] = [
  {
    name: "tcp-v4",
    containers: { a: "tcp-server 127.0.0.1 8080", b: "tcp-long 127.0.0.1 8080 10000" },
    edges: ["b -> a TCP 127.0.0.1:8080"],
  },
  {
    name: "tcp-v6",
    containers: { a: "tcp-server-v6only 8080", b: "tcp-hold ::1 8080 2" },
    edges: ["b -> a TCP [::1]:8080"],
  },
  {
    name: "tcp-dual-stack",
    containers: { a: "tcp-server :: 8080", b: "tcp-hold 127.0.0.1 8080 1", c: "tcp-hold ::1 8080 1" },
    edges: ["b -> a TCP 127.0.0.1:8080", "c -> a TCP [::1]:8080"],
  },
  {
    name: "tcp-both-directions",
    containers: {
      a: "tcp-server 127.0.0.1 8001 -- tcp-long 127.0.0.1 8002 100",
      b: "tcp-server 127.0.0.1 8002 -- tcp-long 127.0.0.1 8001 100",
    },
    edges: ["b -> a TCP 127.0.0.1:8001", "a -> b TCP 127.0.0.1:8002"],
  },
  {
    name: "tcp-not-accepted",
    containers: { a: "tcp-mute-server 8080", b: "tcp-hold 127.0.0.1 8080 2" },
    edges: ["b -> a TCP 127.0.0.1:8080"],
  },
  {
    name: "tcp-fork-after-accept",
    containers: {
      a: "tcp-server 0.0.0.0 8080",
      b: "tcp-hold 127.0.0.1 8080 3",
      c: "tcp-hold 127.0.0.1 8080 3",
    },
    edges: ["b -> a TCP 127.0.0.1:8080", "c -> a TCP 127.0.0.1:8080"],
  },
  {
    name: "tcp-inherited-descriptor",
    containers: { a: "tcp-server-inherited 8080", b: "tcp-hold 127.0.0.1 8080 1" },
    edges: ["b -> a TCP 127.0.0.1:8080"],
  },
  {
    name: "tcp-short",
    containers: { a: "tcp-server 127.0.0.1 8080", b: "tcp-short 127.0.0.1 8080 1001 100" },
    edges: ["b -> a TCP 127.0.0.1:8080"],
    connections: 1001,
  },
  {
    name: "tcp-to-itself",
    containers: {
      a: "tcp-server 127.0.0.1 8080 -- tcp-long 127.0.0.1 8080 10",
      b: "unix-echo stream @alone",
    },
    edges: ["a -> a TCP 127.0.0.1:8080"],
  },
  {
    name: "tcp-passed-on",
    containers: {
      a: "pass-connection 8080 V/pass.sock",
      b: "take-descriptor V/pass.sock keep",
      c: "tcp-hold 127.0.0.1 8080 1",
    },
    // The connection began at a, which accepted it, and ends at b.
    edges: ["c -> a TCP 127.0.0.1:8080", "c -> b TCP 127.0.0.1:8080", "a -> b UnixStream shared:/pass.sock"],
  },
  {
    name: "host-network",
    containers: { a: "tcp-server 127.0.0.1 28311", b: "tcp-hold 127.0.0.1 28311 1" },
    edges: ["b -> a TCP 127.0.0.1:28311"],
    spec: { hostNetwork: true },
  },
  {
    name: "host-network-short",
    containers: { a: "tcp-server 127.0.0.1 28312", b: "tcp-short 127.0.0.1 28312 51 100" },
    edges: ["b -> a TCP 127.0.0.1:28312"],
    connections: 51,
    spec: { hostNetwork: true },
  },
  {
    name: "one-process-namespace",
    containers: { a: "tcp-server 127.0.0.1 8080", b: "tcp-long 127.0.0.1 8080 10" },
    edges: ["b -> a TCP 127.0.0.1:8080"],
    spec: { shareProcessNamespace: true },
  },
  {
    name: "user-namespace",
    containers: {
      a: "tcp-server 127.0.0.1 8080 -- unix-server stream V/s.sock -- unix-server stream @abstract -- fifo-read V/there -- sysv-shm 0x41 8192 rw -- posix-shm /ring 8192 rw -- posix-mq /jobs send -- file-append V/app.log",
      b: "tcp-long 127.0.0.1 8080 10 -- unix-client stream V/s.sock -- unix-client stream @abstract -- after V/there fifo-hold V/there w -- sysv-shm 0x41 8192 r -- posix-shm /ring 8192 r -- posix-mq /jobs receive -- file-tail V/app.log",
    },
    edges: [
      "b -> a TCP 127.0.0.1:8080",
      "b -> a UnixStream shared:/s.sock",
      "b -> a UnixStream @abstract",
      "b -> a FIFO shared:/there",
      "a -> b SysVSharedMemory key 0x00000041",
      "a -> b POSIXSharedMemory /ring",
      "a -> b POSIXMessageQueue /jobs",
      "a -> b SharedFile shared:/app.log",
    ],
    spec: { hostUsers: false },
  },
  {
    name: "user-namespace-one-process-namespace",
    containers: { a: "tcp-server 127.0.0.1 8080", b: "tcp-long 127.0.0.1 8080 10" },
    edges: ["b -> a TCP 127.0.0.1:8080"],
    spec: { hostUsers: false, shareProcessNamespace: true },
  },
  {
    name: "udp",
    containers: {
      a: "udp-server 5353 -- udp6-server 5354",
      b: "udp-connected 5353",
      c: "udp-unconnected 5353 -- udp6-unconnected 5354",
    },
    edges: ["b -> a UDP 127.0.0.1:5353", "c -> a UDP 127.0.0.1:5353", "c -> a UDP [::1]:5354"],
  },
  {
    name: "udp-short",
    containers: {
      a: "udp-server 5353 -- udp-server 8080 -- tcp-server 127.0.0.1 8080",
      b: "udp-short 5353 20",
      c: "udp-sorted 8080",
    },
    edges: ["b -> a UDP 127.0.0.1:5353", "c -> a TCP 127.0.0.1:8080"],
  },
  {
    name: "unix-stream",
    containers: {
      a: "unix-server stream V/s.sock -- unix-server stream @abstract",
      b: "unix-client stream V/s.sock",
      c: "unix-client stream V/s.sock -- unix-client stream @abstract",
    },
    edges: [
      "b -> a UnixStream shared:/s.sock",
      "c -> a UnixStream shared:/s.sock",
      "c -> a UnixStream @abstract",
    ],
  },
  {
    name: "unix-other-kinds",
    containers: {
      a: "unix-server seqpacket V/q.sock -- unix-server dgram V/d.sock -- unix-server dgram @d",
      b: "unix-client seqpacket V/q.sock -- unix-client dgram V/d.sock -- unix-client dgram @d",
    },
    edges: [
      "b -> a UnixSeqpacket shared:/q.sock",
      "b -> a UnixDatagram shared:/d.sock",
      "b -> a UnixDatagram @d",
    ],
  },
  {
    name: "unix-often",
    containers: {
      a: "unix-echo stream V/s.sock -- unix-echo seqpacket @q -- unix-receive V/d.sock",
      b: "unix-often stream V/s.sock -- unix-often seqpacket @q -- unix-often dgram V/d.sock",
      // Who may not, who calls a socket of another type, and who calls what nobody serves.
      c: "unix-denied stream V/s.sock -- unix-often dgram V/s.sock -- unix-often stream V/nobody.sock -- unix-often stream @nobody",
    },
    edges: [
      "b -> a UnixStream shared:/s.sock",
      "b -> a UnixSeqpacket @q",
      "b -> a UnixDatagram shared:/d.sock",
    ],
  },
  {
    name: "unix-renamed",
    containers: {
      a: "unix-server-renamed V/before.sock V/after.sock",
      b: "unix-client stream V/after.sock",
    },
    edges: ["b -> a UnixStream shared:/after.sock"],
  },
  {
    name: "fifo",
    containers: {
      a: "fifo-read V/bulk -- fifo-read V/there -- after V/back fifo-hold V/back w",
      b: "after V/bulk fifo-hold V/bulk w -- after V/there fifo-hold V/there w -- fifo-read V/back",
    },
    edges: ["b -> a FIFO shared:/bulk", "b -> a FIFO shared:/there", "a -> b FIFO shared:/back"],
  },
  {
    name: "pipe-passed-on",
    containers: { a: "pass-pipe V/p.sock", b: "take-descriptor V/p.sock read" },
    edges: ["a -> b Pipe pipe", "a -> b UnixStream shared:/p.sock"],
  },
  {
    name: "sysv",
    containers: {
      a: "sysv-shm 0x11 8192 rw -- sysv-sem 0x12 -- sysv-msg 0x13 send -- sysv-shm 0x14 4096 rw",
      b: "sysv-shm 0x11 8192 r -- sysv-sem 0x12 -- sysv-msg 0x13 receive -- sysv-shm 0x14 4096 rw",
    },
    edges: [
      "a -> b SysVSharedMemory key 0x00000011",
      "a == b SysVSemaphore key 0x00000012",
      "a -> b SysVMessageQueue key 0x00000013",
      "a == b SysVSharedMemory key 0x00000014",
    ],
  },
  {
    name: "posix",
    containers: {
      a: "posix-shm /ring 8192 rw -- posix-sem /gate -- posix-mq /jobs send -- posix-shm /own 4096 rw",
      b: "posix-shm /ring 8192 r -- posix-sem /gate -- posix-mq /jobs receive",
    },
    edges: [
      "a -> b POSIXSharedMemory /ring",
      "a == b POSIXSemaphore /gate",
      "a -> b POSIXMessageQueue /jobs",
    ],
  },
  {
    name: "python-shared-memory",
    containers: { a: "shared-memory-writer ring", b: "shared-memory-reader ring" },
    // Python's reader maps it to write, too.
    edges: ["a == b POSIXSharedMemory /ring"],
  },
  {
    name: "files",
    containers: {
      a: "file-append V/app.log -- file-unlinked V/gone -- file-map V/map rw",
      b: "file-tail V/app.log -- file-keep V/gone -- file-map V/map r",
    },
    edges: [
      "a -> b SharedFile shared:/app.log",
      "a -> b SharedFile shared:/gone",
      "a -> b SharedFile shared:/map",
    ],
  },
  {
    name: "files-in-turn",
    containers: {
      a: "file-replace V/conf -- file-write-once V/once -- file-append V/held",
      b: "file-reread V/conf -- file-read-once V/once",
      c: "file-reread V/held -- file-watch V/",
    },
    edges: [
      "a -> b SharedFile shared:/conf",
      "a -> b SharedFile shared:/once",
      "a -> c SharedFile shared:/held",
      "a -> c SharedFile shared:/",
    ],
  },
  {
    name: "files-of-an-init-container",
    containers: { a: "file-read-once V/conf/app.ini", b: "unix-echo stream @alone" },
    edges: ["init -> a SharedFile shared:/conf/app.ini"],
    spec: {
      initContainers: [
        {
          name: "init",
          image: "peapod.dev/host",
          command: ["sh", "-c", "mkdir /work/conf; echo x > /work/conf/app.ini"],
          volumeMounts: [{ name: "shared", mountPath: "/work" }],
        },
      ],
    },
  },
  {
    name: "strangers",
    containers: {
      a: "tcp-server 127.0.0.1 8080 -- unix-server stream V/a.sock -- posix-shm /a 4096 rw -- file-append V/a",
      b: "udp-server 5353 -- unix-server stream @b -- sysv-shm 0x21 4096 rw -- file-append V/b -- file-replace V/own -- file-reread V/own",
    },
    edges: [],
  },
];

/** What only the deep look sees; the programs begin when the file `V/go` is there. */
export const deepCases: readonly TruthCase[] = [
  {
    name: "deep-unix-short",
    containers: { a: "unix-echo stream V/s.sock", b: "after V/go unix-short stream V/s.sock 1000 100" },
    edges: ["b -> a UnixStream shared:/s.sock"],
    connections: 1000,
  },
  {
    name: "deep-datagrams",
    containers: {
      a: "unix-receive V/d.sock -- unix-receive @d",
      b: "after V/go unix-send V/d.sock 50 70 -- after V/go unix-send @d 50 70",
    },
    edges: ["b -> a UnixDatagram shared:/d.sock", "b -> a UnixDatagram @d"],
  },
  {
    name: "deep-semaphore",
    containers: { a: "sysv-sem-wait 0x31", b: "after V/go sysv-sem-post 0x31 40" },
    edges: ["b -> a SysVSemaphore key 0x00000031"],
  },
  {
    name: "deep-signal",
    containers: { a: "be listener", b: "after V/go signal-to listener 30" },
    edges: ["b -> a Signal SIGUSR1"],
    spec: { shareProcessNamespace: true },
  },
];
