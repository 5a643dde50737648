import type { Duplex, Readable, Writable } from "node:stream";
import type { Scope } from "../base/scope.ts";
import type { UserNamespace } from "../host/user-namespace.ts";
import type { PodCgroupAmounts } from "../kube/cgroup-amounts.ts";
import type { ContainerResources, PodAllocation } from "../kube/pod-allocation.ts";
import type { Container, StoredPod } from "../kube/types.ts";

/** What a pod's containers share, pinned to files so that it outlives every process. */
export interface Sandbox {
  readonly podUID: string;
  readonly namespace: string;
  readonly name: string;
  /** Paths of the pinned namespaces; undefined where the pod uses the host's. */
  readonly netns: string | undefined;
  readonly ipcns: string | undefined;
  readonly utsns: string | undefined;
  /** The handler of the pod's RuntimeClass, which says by which OCI runtime its containers run; undefined: the node's own. */
  readonly runtimeHandler?: string | undefined;
  /** The pod's own user namespace, which owns the others; undefined where its users are this machine's. */
  readonly userNamespace?: UserNamespace | undefined;
  /** PID of the sandbox's own process where the pod shares one process namespace. */
  readonly pid: number | undefined;
  /** Host folder (tmpfs) that is every container's /dev/shm. */
  readonly shm: string;
  /** Host files bind-mounted over /etc/hosts, /etc/hostname and /etc/resolv.conf. */
  readonly files: { readonly hosts: string; readonly hostname: string; readonly resolvConf: string };
  /** The pod's cgroup below every hierarchy's mount, e.g. `/peapod/pod<UID>`. */
  readonly cgroup: string;
  /** What its pod was granted, at first and then by {@link RuntimeService.allocate}. */
  readonly allocated: PodAllocation;
  /** What its cgroup was last given. */
  readonly applied: PodCgroupAmounts;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** A bind mount of a volume into a container. */
export interface ContainerMount {
  readonly hostPath: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  /** Whether what is mounted below it is read-only too (default: no); `Enabled` fails where the kernel can't do that. */
  readonly recursiveReadOnly?: "Disabled" | "IfPossible" | "Enabled";
  /** Whether no program in it can be executed. */
  readonly noExec?: boolean;
  /** Whether its owners are those of the pod's user namespace already, not this machine's. */
  readonly idsMapped?: boolean;
  readonly propagation: "private" | "rslave" | "rshared";
}

/** Everything that the runtime needs to know of one container; all references are already resolved. */
export interface ContainerConfig {
  readonly pod: StoredPod;
  readonly container: Container;
  /** 0 for the first instance, then counted up at each restart. */
  readonly attempt: number;
  readonly image: {
    readonly id: string;
    readonly reference: string;
    readonly digest: string;
    readonly env: readonly string[];
    readonly workingDir: string;
    readonly user: string;
    readonly stopSignal: string | undefined;
  };
  /** Path of the mounted root file system. */
  readonly rootfs: string;
  /** Entry point and arguments, expanded. */
  readonly command: readonly string[];
  /** `NAME=value`, the image's own environment already merged in. */
  readonly env: readonly string[];
  readonly mounts: readonly ContainerMount[];
  /** Process whose PID namespace the container joins, unless the pod shares one anyway. */
  readonly targetPID?: number;
}

export type ContainerPhase = "Created" | "Running" | "Exited";

/** What is known of a container, from disk and kernel. Times are milliseconds since the epoch. */
export interface ContainerRecord {
  /** 64 hex digits. */
  readonly id: string;
  readonly podUID: string;
  readonly podNamespace: string;
  readonly podName: string;
  readonly name: string;
  readonly attempt: number;
  readonly imageID: string;
  readonly imageReference: string;
  readonly imageDigest: string;
  readonly phase: ContainerPhase;
  /** Of the container's init process, while it runs. */
  readonly pid: number | undefined;
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** 128 + N after signal N. */
  readonly exitCode: number | undefined;
  /** Kubernetes' reason: `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, `ContainerStatusUnknown`. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly logPath: string;
  /** Its cgroup below every hierarchy's mount, e.g. `/peapod/pod<UID>/<name>/<attempt>`. */
  readonly cgroup: string;
  /** What its cgroup was last given: at its creation, or by {@link RuntimeService.resizeContainer}. */
  readonly resources: ContainerResources;
}

/** The standard streams of a process run in a container. */
export interface ExecStreams {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** Undefined with a terminal, which has only one output. */
  readonly stderr: Readable | undefined;
}

/** A process run in a container beside its main one. */
export interface ExecSession extends ExecStreams {
  /** Changes the terminal's size; does nothing without one. */
  resize(columns: number, rows: number): void;
  /** The exit code (128 + N after signal N); resolves after the last output. */
  readonly exited: Promise<number>;
  /** Ends the process and its children in the container. Idempotent. */
  kill(): void;
}

/** What `exec` runs. */
export interface ExecRequest {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly size?: { columns: number; rows: number };
}

/** How `attach` joins a container. */
export interface AttachRequest {
  /** Whether to write to its standard input; without effect on a container that has none. */
  readonly stdin: boolean;
}

/** v1.NodeRuntimeHandler. */
export interface RuntimeHandler {
  readonly name: string;
  readonly features: { readonly recursiveReadOnlyMounts: boolean; readonly userNamespaces: boolean };
}

/** Which lines of a log are wanted: the fields of v1.PodLogOptions, with times in milliseconds. */
export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly sinceTime?: number;
  /** Only this stream; absent: both. */
  readonly stream?: "stdout" | "stderr";
}

/**
 * Sandboxes and containers of one node, by an OCI runtime with a monitor per container. What it made survives
 * the daemon; `list…` and `events` are right after a restart too. Every remove and stop is idempotent and
 * succeeds for what is not there.
 */
export interface RuntimeService {
  /**
   * Makes the pod's namespaces, /dev/shm and cgroup; returns the existing one when it was made before. `runtimeHandler`
   * is that of the pod's RuntimeClass; undefined: the node's own choice. Throws FailedCreatePodSandBox.
   */
  createSandbox(pod: StoredPod, runtimeHandler: string | undefined, scope: Scope): Promise<Sandbox>;
  /** Writes /etc/hosts, /etc/hostname and /etc/resolv.conf of the sandbox, in place when they exist. */
  writeSandboxFiles(sandbox: Sandbox, files: { hosts: string; hostname: string; resolvConf: string }): void;
  /** Removes the sandbox and all that belongs to it. Its containers must be removed before. */
  removeSandbox(podUID: string, scope: Scope): Promise<void>;
  listSandboxes(): readonly Sandbox[];
  /**
   * Keeps what the pod is granted from now on; on disk when it returns. Changes nothing else: the grant is carried out
   * by {@link resizeSandbox} and {@link resizeContainer}. Does nothing without a sandbox.
   */
  allocate(podUID: string, allocation: PodAllocation): void;
  /**
   * Completes what an older version of the daemon has kept of a pod that is still there: until resizing was known, the
   * pod had been given what it asks for. Changes nothing that is known. To be called before the pod is worked on.
   */
  adopt(pod: StoredPod): void;
  /**
   * Gives the pod's cgroup these amounts, as far as they are said, and keeps that it has them. Throws
   * SystemCallFailed when the kernel refuses (EBUSY: more memory is in use). May be repeated.
   */
  resizeSandbox(podUID: string, amounts: Partial<PodCgroupAmounts>): void;

  /**
   * Writes the bundle and creates the container, its process waiting. `id` comes from {@link newContainerID}, so
   * that the root file system can be made under it first. Throws CreateContainerError (or
   * CreateContainerConfigError) and leaves nothing behind then.
   */
  createContainer(
    id: string,
    sandbox: Sandbox,
    config: ContainerConfig,
    scope: Scope,
  ): Promise<ContainerRecord>;
  /** Lets the created container's process run. Throws RunContainerError; the record then says Exited. */
  startContainer(id: string, scope: Scope): Promise<ContainerRecord>;
  /**
   * Sends the stop signal (config, image or SIGTERM), waits up to `graceSeconds`, then SIGKILLs everything in
   * the container. Resolves when it is Exited. A second call with a shorter grace shortens the first.
   */
  stopContainer(id: string, graceSeconds: number, scope: Scope): Promise<ContainerRecord | undefined>;
  /** Removes the container's runtime state, cgroup and bundle (not its log). Kills it first if need be. */
  removeContainer(id: string, scope: Scope): Promise<void>;
  /**
   * Gives the live container other cpu and memory, by the OCI runtime, and keeps in its record that it has them. Throws
   * CommandFailed when the runtime or the kernel refuses; the record is as it was then. May be repeated.
   */
  resizeContainer(id: string, resources: ContainerResources, scope: Scope): Promise<ContainerRecord>;
  /** Bytes of memory in use in a cgroup which the kernel could not take back at once; undefined when unknown. */
  memoryInUse(cgroup: string): number | undefined;
  /** The pods that have logs, with the names by which {@link removeLogs} finds them. */
  listLogs(): readonly { namespace: string; name: string; uid: string }[];
  /** Deletes the logs of a pod that is gone. */
  removeLogs(pod: { namespace: string; name: string; uid: string }): void;
  /** Deletes the log of one removed container instance. */
  removeContainerLog(record: ContainerRecord): void;
  listContainers(): readonly ContainerRecord[];
  getContainer(id: string): ContainerRecord | undefined;

  exec(id: string, request: ExecRequest, scope: Scope): Promise<ExecSession>;
  /**
   * The streams of the container's own process from now on. `exited` resolves with 0 when it has ended and all its
   * output was read; `kill` only detaches. BadRequest when it does not run.
   */
  attach(id: string, request: AttachRequest, scope: Scope): Promise<ExecSession>;
  /** Connects to a port as a process in the sandbox would to localhost. ServiceUnavailable when nobody listens. */
  connectToPort(sandbox: Sandbox, port: number, scope: Scope): Promise<Duplex>;
  /**
   * The container's log across rotation, as the API sends it: lines with their newline, in order. Following ends
   * when the container has exited and everything was read, or when the scope's signal aborts.
   */
  readLog(record: ContainerRecord, options: LogOptions, scope: Scope): AsyncIterable<Uint8Array>;
  /** Rotates the logs that are over the size limit (kubelet's containerLogMaxSize and containerLogMaxFiles). */
  rotateLogs(scope: Scope): Promise<void>;

  /** Calls `listener` with the id of a container whose state changed. Returns how to stop. Never misses an exit for good: {@link relist}. */
  onContainerChange(listener: (id: string) => void): () => void;
  /** Compares records with the kernel and reports what changed meanwhile through `onContainerChange`. */
  relist(scope: Scope): Promise<void>;
  /** Starts watching exits; finds what earlier daemons left, and removes containers that these made and never started. */
  start(scope: Scope): Promise<void>;
  /** Stops watching; leaves containers running. */
  stop(): Promise<void>;
  /** `crun 1.8.1` */
  version(): { name: string; version: string };
  /** What a RuntimeClass may name as its handler here; the empty name stands for no RuntimeClass. */
  handlers(): readonly RuntimeHandler[];
}
