import { describe, expect, test } from "vitest";
import type { Channel } from "../../channels/types.ts";
import { diagnosePod } from "../live/diagnose-pod.ts";
import { fakeChannel, fakeFacts, fakeListener, fakeNow, fakePath } from "../live/fake-facts.ts";
import { manifestRules } from "../manifest-rules/registry.ts";
import { liveRules } from "./registry.ts";

type Parts = Parameters<typeof fakeFacts>[0];

const user = (uid: number) => ({ uid, gid: uid, groups: [], overrides: uid === 0 });
const file = (kind: "socket" | "file" | "folder" | "fifo", mode: number, uid = 0) => ({
  identity: "1:2",
  kind,
  uid,
  gid: uid,
  mode,
});
const container = (name: string, uid = 0, shm?: { device: string; names: string[]; available?: number }) => ({
  name,
  hostPID: name === "a" ? 10 : 20,
  pid: 7,
  process: name,
  credentials: user(uid),
  sharedMemory: shm === undefined ? undefined : { size: 1_000, available: 900, ...shm },
});
const ended = (exitCode: number, reason = "Error") => ({
  terminated: { exitCode, reason, startedAt: "2026-01-01T00:09:00Z", finishedAt: "2026-01-01T00:09:30Z" },
});
const waiting = (reason: string, message = "") => ({ waiting: { reason, message } });
const server = (label: string | undefined, access = file("socket", 0o755)) => ({
  container: "b",
  process: "server",
  type: "stream" as const,
  name: "/run/app.sock",
  label,
  file: access,
});
const fifo = (parts: object = {}) =>
  fakeChannel(
    { type: "FIFO", address: "run:/pipe" },
    {
      endpoints: [{ container: "a", role: "Writer", path: "/run/pipe" }],
      evidence: [
        { source: "/proc/PID/task/TID/syscall", detail: "a: sh waits in open(2) of /run/pipe to write" },
      ],
      ...parts,
    },
  );
const clientAndServer = [
  { container: "a", role: "Client" as const },
  { container: "b", role: "Server" as const },
];
const broken = (
  spec: Partial<Channel["spec"]> = {},
  endpoints: Channel["status"]["endpoints"] = [
    { container: "a", role: "Writer" },
    { container: "b", role: "Reader" },
  ],
) => fakeChannel({ type: "FIFO", address: "run:/pipe", ...spec }, { state: "Idle", endpoints });
const unserved = (status: Partial<Channel["status"]> = {}) =>
  fakeChannel(
    { type: "UnixStream", address: "run:/app.sock" },
    { needsPort: false, reason: "nothing listens on run:/app.sock", ...status },
  );
const withSidecar = { initContainers: [{ name: "proxy", restartPolicy: "Always" as const }] };
const stale = fakeChannel(
  { type: "UnixStream", address: "run:/app.sock" },
  { state: "Stale", endpoints: [] },
);
const probe = { readinessProbe: { tcpSocket: { port: 8080 } } };
const mounted = { volumeMounts: [{ name: "run", mountPath: "/run" }] };
const roomy = { device: "1", names: ["ring"] };

const service = (namespace = "default", pods: readonly string[] = []) => ({
  namespace,
  name: "web",
  address: "10.98.0.7",
  selector: "app=web",
  ports: [{ port: 80, protocol: "TCP", pods }],
  pods,
});

const dropping = {
  chain: "inet filter forward",
  reason: "policy drop",
  drops: ["what pods send each other"],
  remedy: ["nft insert rule inet filter forward iifname peapod0 accept"],
};

/** Per rule: facts in which it speaks, and near-misses in which nobody says a warning or an error. */
const table: Record<string, { speaks: Parts[]; quiet: Parts[] }> = {
  "nothing-listens": {
    speaks: [
      { channels: [fakeChannel()] },
      { channels: [fakeChannel()], evidence: { listeners: [fakeListener("0.0.0.0", 80)] } },
    ],
    quiet: [
      { channels: [fakeChannel({}, { state: "Closed" })] },
      { channels: [fakeChannel()], evidence: { listeners: [fakeListener("0.0.0.0", 8080)] } },
      {
        channels: [
          fakeChannel(
            {},
            {
              endpoints: [
                { container: "b", role: "Server" },
                { container: "a", role: "Client" },
              ],
            },
          ),
        ],
      },
    ],
  },
  "nothing-receives": {
    speaks: [
      { channels: [fakeChannel({ type: "UDP" })] },
      { channels: [fakeChannel({ type: "UDP" })], evidence: { listeners: [fakeListener("0.0.0.0", 8080)] } },
    ],
    quiet: [
      { channels: [fakeChannel({ type: "UDP" }, { state: "Closed" })] },
      {
        channels: [fakeChannel({ type: "UDP" })],
        evidence: { listeners: [{ ...fakeListener("0.0.0.0", 8080), protocol: "UDP" }] },
      },
    ],
  },
  "firewall-drops": {
    speaks: [{ firewalls: [dropping] }],
    quiet: [{ firewalls: [dropping], spec: { hostNetwork: true } }, { firewalls: [] }],
  },
  "listens-elsewhere": {
    speaks: [
      {
        channels: [fakeChannel({ address: "[::1]:8080" })],
        evidence: { listeners: [fakeListener("127.0.0.1", 8080)] },
      },
      {
        channels: [fakeChannel({ address: "10.88.0.2:8080" })],
        evidence: { listeners: [fakeListener("127.0.0.1", 8080)] },
      },
      { channels: [fakeChannel()], evidence: { listeners: [fakeListener("10.88.0.2", 8080)] } },
      {
        channels: [fakeChannel({ type: "UDP", address: "10.88.0.2:8080" })],
        evidence: { listeners: [{ ...fakeListener("127.0.0.1", 8080), protocol: "UDP" }] },
      },
    ],
    quiet: [{ channels: [fakeChannel()], evidence: { listeners: [fakeListener("::", 8080)] } }],
  },
  "connected-too-early": {
    speaks: [
      {
        states: { a: { lastState: ended(3), restartCount: 1 } },
        log: [{ text: "Connection refused", previous: true }],
        evidence: {
          attempts: [{ container: "a", address: "127.0.0.1", port: 8080, attempts: 2, answered: 1 }],
          listeners: [fakeListener("0.0.0.0", 8080)],
        },
      },
    ],
    quiet: [
      {
        log: [{ text: "Connection refused" }],
        evidence: {
          attempts: [{ container: "a", address: "127.0.0.1", port: 8080, attempts: 2, answered: 1 }],
          listeners: [fakeListener("0.0.0.0", 8080)],
        },
      },
    ],
  },
  "port-taken": {
    speaks: [
      {
        states: { a: { state: waiting("CrashLoopBackOff"), lastState: ended(1) } },
        log: [{ text: "listen tcp :8080: bind: address already in use" }],
        evidence: { listeners: [fakeListener("0.0.0.0", 8080)] },
      },
      {
        a: { ports: [{ containerPort: 8080 }] },
        log: [{ text: "OSError: [Errno 98] Address already in use" }],
        evidence: { listeners: [fakeListener("0.0.0.0", 8080)] },
      },
      {
        a: { command: ["python3", "-m", "http.server", "8080"] },
        log: [{ text: "OSError: [Errno 98] Address already in use" }],
        evidence: { listeners: [fakeListener("0.0.0.0", 8080)] },
      },
    ],
    quiet: [
      {
        log: [{ text: "bind :8080: address already in use" }],
        evidence: { listeners: [fakeListener("0.0.0.0", 8080, "a")] },
      },
      {
        log: [{ text: "bind :8080: address already in use", at: fakeNow - 60_000 }],
        evidence: { listeners: [fakeListener("0.0.0.0", 8080)] },
      },
    ],
  },
  "neighbour-name-unresolved": {
    speaks: [{ log: [{ text: "wget: bad address 'b:80'" }] }, { log: [{ text: "getaddrinfo ENOTFOUND b" }] }],
    quiet: [
      { log: [{ text: "getaddrinfo ENOTFOUND b.example.com" }] },
      { log: [{ text: "connected to b" }] },
    ],
  },
  "service-without-pods": {
    speaks: [
      {
        log: [{ text: "curl: (7) Failed to connect to web port 80: Couldn't connect to server" }],
        services: [service()],
      },
      { log: [{ text: "dial tcp 10.98.0.7:80: connect: connection refused" }], services: [service()] },
      { log: [{ text: "getaddrinfo ENOTFOUND web.shop.svc" }], services: [service("shop")] },
    ],
    quiet: [
      {
        log: [{ text: "connect to web: connection refused" }],
        services: [service("default", ["web-1 (10.88.0.3)"])],
      },
      { log: [{ text: "connect to web: connection refused" }], services: [service("shop")] },
      { log: [{ text: "connect to web.example.com: connection refused" }], services: [service()] },
      { log: [{ text: "200 from web" }], services: [service()] },
    ],
  },
  "sandbox-fails": {
    speaks: [
      {
        states: { a: { state: waiting("ContainerCreating") }, b: { state: waiting("ContainerCreating") } },
        warnings: [
          {
            reason: "FailedCreatePodSandBox",
            message: "host port 80/TCP is already used",
            at: fakeNow,
            container: undefined,
          },
        ],
      },
    ],
    quiet: [
      {
        warnings: [
          {
            reason: "FailedCreatePodSandBox",
            message: "host port 80/TCP is already used",
            at: fakeNow,
            container: undefined,
          },
        ],
      },
    ],
  },
  "probe-misses-loopback": {
    speaks: [{ b: probe, evidence: { listeners: [fakeListener("127.0.0.1", 8080)] } }],
    quiet: [
      {
        b: probe,
        evidence: { listeners: [fakeListener("127.0.0.1", 8080), fakeListener("10.88.0.2", 8080)] },
      },
      {
        b: { readinessProbe: { exec: { command: ["true"] } } },
        evidence: { listeners: [fakeListener("127.0.0.1", 8080)] },
      },
    ],
  },
  "probe-without-server": {
    speaks: [
      { b: probe, states: { b: { ready: false } }, evidence: { listeners: [fakeListener("0.0.0.0", 81)] } },
    ],
    quiet: [
      { b: probe },
      { b: probe, states: { b: { ready: false } }, evidence: { listeners: [fakeListener("::", 8080)] } },
    ],
  },
  "declared-port-unserved": {
    speaks: [{ b: { ports: [{ containerPort: 80 }] } }],
    quiet: [
      {
        b: { ports: [{ containerPort: 80 }] },
        evidence: { listeners: [fakeListener("127.0.0.1", 80, "a")] },
      },
      {
        b: { ports: [{ containerPort: 80 }] },
        states: { b: { state: { running: { startedAt: "2026-01-01T00:09:58Z" } } } },
      },
    ],
  },
  "socket-not-shared": {
    speaks: [
      {
        evidence: { unixServers: [server(undefined)], paths: [fakePath("/run/app.sock")] },
        log: [{ text: "connect /run/app.sock: no such file or directory" }],
      },
      {
        a: { args: ["--socket=/run/app.sock"] },
        evidence: { unixServers: [server("own:/app.sock")], paths: [fakePath("/run/app.sock")] },
      },
    ],
    quiet: [
      { evidence: { unixServers: [server(undefined)], paths: [fakePath("/run/app.sock")] } },
      {
        a: { args: ["/run/app.sock"] },
        evidence: {
          unixServers: [server("run:/app.sock")],
          paths: [fakePath("/run/app.sock", { label: "run:/app.sock", file: file("socket", 0o777) })],
        },
      },
    ],
  },
  "socket-permission": {
    speaks: [
      {
        a: { args: ["/run/app.sock"] },
        evidence: {
          containers: [container("a", 1000)],
          unixServers: [server("run:/app.sock")],
          paths: [fakePath("/run/app.sock", { label: "run:/app.sock", file: file("socket", 0o755) })],
        },
      },
    ],
    quiet: [0o777, 0o755].map((mode, index) => ({
      a: { args: ["/run/app.sock"] },
      evidence: {
        containers: [container("a", index === 0 ? 1000 : 0)],
        unixServers: [server("run:/app.sock", file("socket", mode))],
        paths: [fakePath("/run/app.sock", { label: "run:/app.sock", file: file("socket", mode) })],
      },
    })),
  },
  "stale-socket": {
    speaks: [
      {
        channels: [stale],
        log: [{ text: "bind /run/app.sock: Address already in use" }],
        evidence: { paths: [fakePath("/run/app.sock", { label: "run:/app.sock" })] },
      },
    ],
    quiet: [
      { channels: [stale] },
      { evidence: { paths: [fakePath("/run/app.sock", { label: "run:/app.sock" })] } },
    ],
  },
  "fifo-without-other-end": {
    speaks: [
      { channels: [fifo()] },
      {
        channels: [
          fifo({
            endpoints: [
              { container: "a", role: "Writer" },
              { container: "b", role: "Reader" },
            ],
          }),
        ],
        states: { b: { state: ended(0, "Completed") } },
        spec: { restartPolicy: "Never" },
      },
    ],
    quiet: [
      { channels: [fifo({ firstSeen: "2026-01-01T00:09:59Z" })] },
      {
        channels: [
          fifo({
            endpoints: [
              { container: "a", role: "Writer" },
              { container: "b", role: "Reader" },
            ],
          }),
        ],
      },
    ],
  },
  "socket-unserved": {
    speaks: [
      { channels: [unserved()] },
      { channels: [unserved()], evidence: { unixServers: [server("run:/other.sock")] } },
    ],
    quiet: [
      { channels: [unserved({ state: "Closed" })] },
      { channels: [unserved({ endpoints: clientAndServer, reason: "the server has not accepted" })] },
    ],
  },
  "fifo-reader-gone": {
    speaks: [{ channels: [broken()], log: [{ text: "sh: write error: Broken pipe" }] }],
    quiet: [
      { channels: [broken()] },
      { log: [{ text: "write |1: broken pipe" }] },
      // It may have been the connection, or another FIFO, or its own.
      {
        channels: [broken(), fakeChannel({}, { state: "Idle", endpoints: clientAndServer })],
        log: [{ text: "Broken pipe" }],
      },
      { channels: [broken(), broken({ address: "run:/other" })], log: [{ text: "Broken pipe" }] },
      {
        channels: [
          broken({}, [
            { container: "a", role: "Writer" },
            { container: "a", role: "Reader" },
          ]),
        ],
        log: [{ text: "Broken pipe" }],
      },
    ],
  },
  "shm-full": {
    speaks: [{ evidence: { containers: [container("a", 0, { ...roomy, available: 10 })] } }],
    quiet: [{ evidence: { containers: [container("a", 0, { ...roomy, available: 100 })] } }],
  },
  "shm-in-two-places": {
    speaks: [
      {
        evidence: {
          containers: [container("a", 0, roomy), container("b", 0, { device: "2", names: ["ring"] })],
        },
      },
      {
        log: [{ text: "FileNotFoundError: [Errno 2] No such file or directory: '/ring'" }],
        evidence: { containers: [container("a", 0, { device: "2", names: [] }), container("b", 0, roomy)] },
      },
    ],
    quiet: [
      { evidence: { containers: [container("a", 0, roomy), container("b", 0, roomy)] } },
      { evidence: { containers: [container("a", 0, { device: "2", names: [] }), container("b", 0, roomy)] } },
    ],
  },
  "write-to-read-only": {
    speaks: [
      {
        a: { securityContext: { readOnlyRootFilesystem: true } },
        log: [{ text: "open /run/app.pid: read-only file system" }],
      },
    ],
    quiet: [{ log: [{ text: "open /run/app.pid: read-only file system" }] }],
  },
  "volume-not-writable": {
    speaks: [
      {
        log: [{ text: "touch: cannot touch '/run/x': Permission denied" }],
        evidence: {
          containers: [container("a", 1000)],
          paths: [
            fakePath("/run/x", { label: "run:/x", folder: { path: "/run", access: file("folder", 0o755) } }),
          ],
        },
      },
    ],
    quiet: [
      {
        log: [{ text: "touch: cannot touch '/run/x': Permission denied" }],
        evidence: {
          containers: [container("a", 1000)],
          paths: [fakePath("/run/x", { folder: { path: "/run", access: file("folder", 0o755) } })],
        },
      },
    ],
  },
  "not-pid-1": {
    speaks: [
      {
        spec: { shareProcessNamespace: true },
        log: [{ text: "s6-overlay-suexec: fatal: can only run as pid 1" }],
      },
      {
        spec: {
          shareProcessNamespace: true,
          containers: [{ name: "a", command: ["sh", "-c", "kill -HUP 1"] }],
        },
        evidence: { containers: [container("a")] },
      },
    ],
    quiet: [{ a: { command: ["sh", "-c", "kill -HUP 1"] }, evidence: { containers: [container("a")] } }],
  },
  "exits-zero-under-always": {
    speaks: [
      {
        states: {
          a: { state: waiting("CrashLoopBackOff"), lastState: ended(0, "Completed"), restartCount: 1 },
        },
      },
    ],
    quiet: [
      {
        spec: { restartPolicy: "OnFailure" },
        states: { a: { state: ended(0, "Completed"), restartCount: 1 } },
      },
    ],
  },
  "job-not-completed": {
    speaks: [
      {
        job: "work",
        spec: { restartPolicy: "Never" },
        a: { command: ["sh", "-c", "while true; do sleep 1; done"] },
        states: { b: { state: ended(0, "Completed") } },
      },
    ],
    quiet: [
      // Nobody's Job; the rest may well end; the work is not done; a moment ago; not begun.
      ...[
        { job: undefined },
        { a: { command: ["backup"] } },
        { states: {} },
        {
          states: {
            b: { state: { terminated: { ...ended(0).terminated, finishedAt: "2026-01-01T00:09:58Z" } } },
          },
        },
        { states: { b: { state: waiting("ContainerCreating") } } },
      ].map((parts) => ({
        job: "work",
        spec: { restartPolicy: "Never" as const },
        a: { command: ["sleep", "infinity"] },
        states: { b: { state: ended(0, "Completed") } },
        ...parts,
      })),
    ],
  },
  "out-of-memory": {
    speaks: [{ states: { a: { lastState: ended(137, "OOMKilled"), restartCount: 1 } } }],
    quiet: [{}],
  },
  "bad-command": {
    speaks: [
      { states: { a: { state: waiting("RunContainerError", "executable file `x` not found in $PATH") } } },
    ],
    quiet: [{ states: { a: { state: waiting("ContainerCreating") } } }],
  },
  "image-not-there": {
    speaks: [{ states: { a: { state: waiting("ImagePullBackOff", "Back-off pulling image") } } }],
    quiet: [{ states: { a: { state: waiting("ContainerCreating") } } }],
  },
  "configuration-missing": {
    speaks: [
      { states: { a: { state: waiting("CreateContainerConfigError", 'configmap "x" not found') } } },
      {
        states: { a: { state: waiting("ContainerCreating") } },
        warnings: [{ reason: "FailedMount", message: "no such secret", at: fakeNow, container: undefined }],
      },
    ],
    quiet: [{ states: { a: { state: waiting("ContainerCreating") } } }],
  },
  "probe-fails": {
    speaks: [
      {
        states: { a: { ready: false } },
        warnings: [{ reason: "Unhealthy", message: "Readiness probe failed", at: fakeNow, container: "a" }],
      },
    ],
    quiet: [
      { warnings: [{ reason: "Unhealthy", message: "Readiness probe failed", at: fakeNow, container: "a" }] },
    ],
  },
  "keeps-failing": {
    speaks: [
      { states: { a: { state: waiting("CrashLoopBackOff"), lastState: ended(7) } } },
      { spec: withSidecar, states: { proxy: { state: waiting("CrashLoopBackOff"), lastState: ended(7) } } },
    ],
    quiet: [
      {
        spec: { ...withSidecar, restartPolicy: "Never" },
        states: {
          a: { state: ended(0, "Completed") },
          b: { state: ended(0, "Completed") },
          proxy: { state: ended(137) },
        },
      },
      { states: { a: { lastState: { terminated: { exitCode: 7, finishedAt: "2026-01-01T00:01:00Z" } } } } },
    ],
  },
};

/** Rules that say a warning or an error. */
function speaking(parts: Parts): string[] {
  const found = diagnosePod(fakeFacts({ ...parts, b: { ...mounted, ...parts?.b } }));
  return found.filter(({ severity }) => severity !== "info").map(({ rule }) => rule);
}

test("every rule is in the table, and has an id of its own", () => {
  const ids = liveRules.map(({ id }) => id);
  expect(Object.keys(table).sort()).toEqual(ids.toSorted());
  const others = new Set(manifestRules.map(({ id }) => id));
  expect(ids.filter((id) => others.has(id))).toEqual([]);
});

describe.each(Object.entries(table))("%s", (rule, { speaks, quiet }) => {
  test.each(speaks.map((parts, index) => [index, parts] as const))("speaks (%i)", (_, parts) => {
    expect(speaking(parts)).toEqual([rule]);
  });
  test.each(quiet.map((parts, index) => [index, parts] as const))("keeps quiet (%i)", (_, parts) => {
    expect(speaking(parts)).not.toContain(rule);
  });
});

test("a healthy pod gives no finding at all", () => {
  expect(diagnosePod(fakeFacts())).toEqual([]);
});
