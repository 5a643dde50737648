import { explain, PeapodError } from "../base/errors.ts";
import { bpf } from "../host/bpf.ts";
import { readProcFile } from "../host/proc.ts";
import { type InternetSocket, parseInternetSockets, parseProcUnixSockets } from "../host/sockets.ts";
import type { TrafficCount } from "../host/traffic-count.ts";
import { TrafficReader } from "../host/traffic-reader.ts";
import type { UnixCall } from "../host/unix-call.ts";
import type { DeepCounts } from "./deep/counts.ts";
import { type NamespaceAnswers, NamespaceTables } from "./namespace-tables.ts";
import { type MappingCache, sampleProcesses, waitingOpens } from "./process-sampler.ts";
import type { FileUse, KnownListener, ObservedProcess, OpenUse, PodFile, PodSnapshot } from "./snapshot.ts";
import { TableNames } from "./table-names.ts";
import type { MissingEvidence, ObservedPod } from "./types.ts";
import { UnixCalls } from "./unix-calls.ts";
import { scanFiles } from "./volume-scan.ts";
import { WatchedPlaces } from "./watched-places.ts";

/** A server that stopped is remembered this long, for connections of which nothing but a count is left. */
const listenerMemoryMilliseconds = 10_000;
/** A scan of files that took long is used for this many times as long. */
const scanShare = 50;
/** Tables that could not be opened or asked are tried again at most this often. */
const retryMilliseconds = 10_000;

/** What was told between two looks. */
export interface EventSources {
  /** Of these FIFOs, all there are in the pod. */
  fifoUses(fifos: readonly PodFile[]): readonly OpenUse[];
  fileUses(): readonly FileUse[];
  /** Calls of Unix sockets, counted before the look; by control group of the caller's container. */
  readonly unixCalls: ReadonlyMap<string, readonly UnixCall[]>;
  /** What the deep look counted; undefined while there is none. */
  deepCounts(processes: readonly ObservedProcess[]): DeepCounts | undefined;
}

const noEvents: EventSources = {
  fifoUses: () => [],
  fileUses: () => [],
  unixCalls: new Map(),
  deepCounts: () => undefined,
};

/** Takes looks at one pod: reads /proc and asks the tables of the pod's namespaces. */
export class PodSampler {
  readonly #mappings: MappingCache = new Map();
  readonly #watched = new WatchedPlaces();
  readonly #tableNames = new TableNames();
  readonly #listeners = new Map<string, { readonly listener: KnownListener; at: number }>();
  #tables: NamespaceTables | undefined;
  #tablesFailure: { readonly reason: string; readonly at: number } | undefined;
  #files: { readonly files: PodFile[]; readonly validUntil: number } = { files: [], validUntil: 0 };
  readonly #unixCalls = new UnixCalls();
  #traffic: TrafficReader | undefined;
  #earlierSockets: ReadonlySet<number> = new Set();
  /** Milliseconds since the epoch: the look before. */
  #lookedAt = 0;
  #closed = false;

  /**
   * One look. Never throws: evidence that can't be had is named in `missing`.
   */
  async look(
    pod: ObservedPod,
    now: number,
    { fifoUses, fileUses, unixCalls, deepCounts }: EventSources = noEvents,
  ): Promise<{ snapshot: PodSnapshot; missing: readonly MissingEvidence[] }> {
    const missing: MissingEvidence[] = [];
    // Before the sockets: a connection that ends in between is missed by this look rather than counted twice.
    const counts = await this.#counts(pod, missing);
    const processes = sampleProcesses(pod, this.#mappings);
    const net = (table: string) => netTable(pod, table);
    const tcp = [...parseInternetSockets(net("tcp")), ...parseInternetSockets(net("tcp6"))];
    const udp = [...parseInternetSockets(net("udp")), ...parseInternetSockets(net("udp6"))];
    const files = this.#scan(pod, now);
    const watched = this.#watched.of(pod, processes, this.#tableNames, now);
    const opens = waitingOpens(pod, processes);
    const answers = await this.#ask(pod, now, missing);
    const identities = this.#tableNames.identities(pod, files);
    const identity = (name: string) => identities.get(name) ?? name;
    const unix = (answers?.unix ?? parseProcUnixSockets(net("unix"))).map((socket) =>
      socket.file === undefined ? socket : { ...socket, file: identity(socket.file) },
    );
    const outcomes = this.#unixCalls.outcomes(pod, unixCalls, unix, this.#earlierSockets);
    const snapshot: PodSnapshot = {
      pod,
      takenAt: now,
      processes,
      tcp,
      udp,
      unix,
      tcpCounters: answers?.tcpCounters,
      sharedMemory: answers?.sharedMemory ?? [],
      semaphores: answers?.semaphores ?? [],
      semaphoreOperators: answers?.semaphoreOperators ?? new Map(),
      messageQueues: answers?.messageQueues ?? [],
      counts,
      files,
      watched,
      waitingOpens: opens,
      fifoUses: fifoUses(files.filter(({ kind }) => kind === "fifo")),
      fileUses: fileUses(),
      unixCalls: outcomes.answered,
      // Without these answers it isn't known which file a socket belongs to.
      unservedUnixCalls: answers === undefined ? [] : outcomes.unserved,
      earlierSockets: this.#earlierSockets,
      knownListeners: this.#knownListeners(now),
      deep: withIdentities(deepCounts(processes), identity),
    };
    this.#remember(snapshot, now);
    this.#earlierSockets = new Set([...tcp, ...udp, ...unix].map(({ inode }) => inode));
    return { snapshot, missing };
  }

  #scan(pod: ObservedPod, now: number): PodFile[] {
    if (now < this.#files.validUntil) return this.#files.files;
    const start = performance.now();
    const files = scanFiles(pod);
    const took = performance.now() - start;
    // A quick scan is made anew for every look.
    this.#files = { files, validUntil: took < 5 ? 0 : now + took * scanShare };
    return files;
  }

  #knownListeners(now: number): KnownListener[] {
    for (const [key, { at }] of this.#listeners) {
      // What the look before has seen may have served since, however long ago that was.
      if (at < this.#lookedAt && now - at > listenerMemoryMilliseconds) this.#listeners.delete(key);
    }
    this.#lookedAt = now;
    return [...this.#listeners.values()].map(({ listener }) => listener);
  }

  #remember({ tcp, udp, processes }: PodSnapshot, now: number): void {
    const owners = new Map<number, { container: string; hostPID: number }>();
    for (const { container, hostPID, descriptors } of processes) {
      for (const { kind, inode } of descriptors) {
        if (kind === "socket" && inode !== undefined) owners.set(inode, { container, hostPID });
      }
    }
    const note = (protocol: "TCP" | "UDP", { inode, local }: InternetSocket) => {
      const owner = owners.get(inode);
      if (owner === undefined) return;
      const key = `${protocol} ${local.address} ${local.port} ${owner.container}`;
      this.#listeners.set(key, { listener: { protocol, ...local, ...owner }, at: now });
    };
    for (const socket of tcp) if (socket.state === "Listen") note("TCP", socket);
    for (const socket of udp) if (socket.state === "Close") note("UDP", socket);
  }

  async #ask(
    pod: ObservedPod,
    now: number,
    missing: MissingEvidence[],
  ): Promise<NamespaceAnswers | undefined> {
    const failure = this.#tablesFailure;
    let reason = failure !== undefined && now - failure.at < retryMilliseconds ? failure.reason : undefined;
    if (reason === undefined) {
      try {
        this.#tables ??= await this.#open(pod);
        return await this.#tables.ask();
      } catch (error) {
        reason = explain(error);
        this.#tablesFailure = { reason, at: now };
        this.release();
      }
    }
    missing.push({ layer: "sock_diag", reason: `${withoutTables}: ${reason}` });
    return undefined;
  }

  async #open(pod: ObservedPod): Promise<NamespaceTables> {
    const tables = await NamespaceTables.open(pod);
    // Closed meanwhile: the pod is gone, and its namespaces are to go too.
    if (!this.#closed) return tables;
    tables.close();
    throw new PeapodError("ServiceUnavailable", "the observer was stopped");
  }

  async #counts(pod: ObservedPod, missing: MissingEvidence[]): Promise<readonly TrafficCount[] | undefined> {
    const calls = await bpf();
    if (calls === undefined || this.#closed) return undefined;
    try {
      this.#traffic ??= new TrafficReader(calls);
      const { counts, counted } = this.#traffic.read(pod.cgroup);
      const uncounted = pod.containers.filter(({ name }) => !counted.has(name)).map(({ name }) => name);
      if (uncounted.length > 0) {
        const reason = `the control group of ${uncounted.join(", ")} has no counters`;
        missing.push({ layer: "bpf", reason: `${withoutCounters}: ${reason}` });
      }
      return counted.size === 0 ? undefined : counts;
    } catch (error) {
      missing.push({ layer: "bpf", reason: `${withoutCounters}: ${explain(error)}` });
      return undefined;
    }
  }

  /** Closes what keeps the pod's namespaces alive, and the counters, until the next look. Idempotent. */
  release(): void {
    this.#tables?.close();
    this.#tables = undefined;
    this.#traffic?.close();
  }

  /** As {@link release}, for good. Idempotent. */
  close(): void {
    this.#closed = true;
    this.release();
  }
}

const withoutCounters = "who opens connections too short to be seen is unknown";
const withoutTables = "bytes of TCP connections, the peers of Unix sockets and System V tables are unknown";

function withIdentities(
  deep: DeepCounts | undefined,
  identity: (name: string) => string,
): DeepCounts | undefined {
  if (deep === undefined) return undefined;
  return {
    ...deep,
    files: deep.files.map((each) => ({ ...each, identity: identity(each.identity) })),
    unix: deep.unix.map((each) =>
      each.identity === undefined ? each : { ...each, identity: identity(each.identity) },
    ),
  };
}

/** A table of the pod's network namespace, through the first of its containers' processes that still lives. */
function netTable(pod: ObservedPod, table: string): string {
  for (const { pid } of pod.containers) {
    const text = readProcFile(`/proc/${pid}/net/${table}`);
    if (text !== undefined) return text;
  }
  return "";
}
