import { explain } from "../base/errors.ts";
import { bpf } from "../host/bpf.ts";
import { NamespaceShell } from "../host/namespace-shell.ts";
import { readProcFile } from "../host/proc.ts";
import {
  type InternetSocket,
  parseInternetSockets,
  parseProcUnixSockets,
  parseTcpCounters,
  parseUnixSockets,
} from "../host/sockets.ts";
import {
  listSystemV,
  parseMessageQueues,
  parseSemaphoreDetails,
  parseSemaphores,
  parseSharedMemory,
  splitSystemV,
} from "../host/sysvipc.ts";
import type { TrafficCount } from "../host/traffic-count.ts";
import { TrafficReader } from "../host/traffic-reader.ts";
import type { UnixCall } from "../host/unix-call.ts";
import type { DeepCounts } from "./deep/counts.ts";
import { type MappingCache, sampleProcesses, waitingOpens } from "./process-sampler.ts";
import type { FileUse, KnownListener, ObservedProcess, OpenUse, PodFile, PodSnapshot } from "./snapshot.ts";
import type { MissingEvidence, ObservedPod } from "./types.ts";
import { UnixCalls } from "./unix-calls.ts";
import { scanFiles } from "./volume-scan.ts";
import { WatchedPlaces } from "./watched-places.ts";

/** A server that stopped is remembered this long, for connections of which nothing but a count is left. */
const listenerMemoryMilliseconds = 10_000;
/** A scan of files that took long is used for this many times as long. */
const scanShare = 50;
/** A helper that failed is started again at most this often. */
const retryMilliseconds = 10_000;
const maxSemaphoreSets = 16;

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

/** Takes looks at one pod: reads /proc and asks the pod's one helper. */
export class PodSampler {
  readonly #mappings: MappingCache = new Map();
  readonly #watched = new WatchedPlaces();
  readonly #listeners = new Map<string, { readonly listener: KnownListener; at: number }>();
  #shell: NamespaceShell | undefined;
  #shellFailure: { readonly reason: string; readonly at: number } | undefined;
  #files: { readonly files: PodFile[]; readonly validUntil: number } = { files: [], validUntil: 0 };
  readonly #unixCalls = new UnixCalls();
  #traffic: TrafficReader | undefined;
  #earlierSockets: ReadonlySet<number> = new Set();
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
    // Asked first, so that the helper works while this process reads /proc.
    const asking = this.#ask(pod, now, missing);
    const processes = sampleProcesses(pod, this.#mappings);
    const net = (table: string) => netTable(pod, table);
    const tcp = [...parseInternetSockets(net("tcp")), ...parseInternetSockets(net("tcp6"))];
    const udp = [...parseInternetSockets(net("udp")), ...parseInternetSockets(net("udp6"))];
    const files = this.#scan(pod, now);
    const watched = this.#watched.of(pod, processes, now);
    const opens = waitingOpens(pod, processes);
    const answers = await asking;
    const unix = answers.unix ?? parseProcUnixSockets(net("unix"));
    const outcomes = this.#unixCalls.outcomes(pod, unixCalls, unix, this.#earlierSockets);
    const snapshot: PodSnapshot = {
      pod,
      takenAt: now,
      processes,
      tcp,
      udp,
      unix,
      tcpCounters: answers.tcpCounters,
      sharedMemory: answers.sharedMemory,
      semaphores: answers.semaphores,
      semaphoreOperators: answers.semaphoreOperators,
      messageQueues: answers.messageQueues,
      counts,
      files,
      watched,
      waitingOpens: opens,
      fifoUses: fifoUses(files.filter(({ kind }) => kind === "fifo")),
      fileUses: fileUses(),
      unixCalls: outcomes.answered,
      // Without `ss` it isn't known which file a socket belongs to.
      unservedUnixCalls: answers.unix === undefined ? [] : outcomes.unserved,
      earlierSockets: this.#earlierSockets,
      knownListeners: this.#knownListeners(now),
      deep: deepCounts(processes),
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
      if (now - at > listenerMemoryMilliseconds) this.#listeners.delete(key);
    }
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

  async #ask(pod: ObservedPod, now: number, missing: MissingEvidence[]): Promise<Answers> {
    try {
      const shell = this.#helper(pod, now);
      const answers = await shell.ask(["ss -taniOH", "ss -xaneOH", listSystemV]);
      const { shm, sem, msg } = splitSystemV(answers[2]?.stdout ?? "");
      const semaphores = parseSemaphores(sem);
      const ids = semaphores.slice(0, maxSemaphoreSets).map(({ id }) => id);
      const details = ids.length === 0 ? [] : await shell.ask(ids.map((id) => `ipcs -s -i ${id}`));
      const ss = answers[0]?.exitCode === 0 && answers[1]?.exitCode === 0;
      if (!ss)
        missing.push({
          layer: "ss",
          reason: `${withoutSs}: ${answers[0]?.exitCode === 127 ? "ss (iproute2) is not installed" : "ss fails"}`,
        });
      if (details.some(({ exitCode }) => exitCode !== 0)) {
        missing.push({ layer: "ipcs", reason: "who uses System V semaphores is unknown: ipcs fails" });
      }
      return {
        tcpCounters: ss ? parseTcpCounters(answers[0]?.stdout ?? "") : undefined,
        unix: ss ? parseUnixSockets(answers[1]?.stdout ?? "") : undefined,
        sharedMemory: parseSharedMemory(shm),
        semaphores,
        semaphoreOperators: new Map(
          ids.map((id, index) => [id, parseSemaphoreDetails(details[index]?.stdout ?? "").pids]),
        ),
        messageQueues: parseMessageQueues(msg),
      };
    } catch (error) {
      this.#shellFailure ??= { reason: explain(error), at: now };
      missing.push({
        layer: "helper",
        reason: `${withoutSs}, System V tables neither: ${this.#shellFailure.reason}`,
      });
      return noAnswers;
    }
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

  #helper(pod: ObservedPod, now: number): NamespaceShell {
    if (this.#shell?.alive === true) return this.#shell;
    const failedLately = this.#shellFailure !== undefined && now - this.#shellFailure.at < retryMilliseconds;
    if (failedLately || this.#closed)
      throw new Error(this.#shellFailure?.reason ?? "the observer was stopped");
    this.#shellFailure = undefined;
    this.#shell = new NamespaceShell(pod);
    return this.#shell;
  }

  /** Ends the helper, which keeps the pod's namespaces alive, and closes the counters until the next look. */
  async release(): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    this.#traffic?.close();
    await shell?.close();
  }

  /** As {@link release}, for good. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.release();
  }
}

const withoutCounters = "who opens connections too short to be seen is unknown";
const withoutSs = "bytes of TCP connections and the peers of Unix sockets are unknown";

interface Answers extends Pick<PodSnapshot, "tcpCounters" | "sharedMemory" | "semaphores" | "messageQueues"> {
  readonly semaphoreOperators: PodSnapshot["semaphoreOperators"];
  readonly unix: PodSnapshot["unix"] | undefined;
}

const noAnswers: Answers = {
  tcpCounters: undefined,
  unix: undefined,
  sharedMemory: [],
  semaphores: [],
  semaphoreOperators: new Map(),
  messageQueues: [],
};

/** A table of the pod's network namespace, through the first of its containers' processes that still lives. */
function netTable(pod: ObservedPod, table: string): string {
  for (const { pid } of pod.containers) {
    const text = readProcFile(`/proc/${pid}/net/${table}`);
    if (text !== undefined) return text;
  }
  return "";
}
