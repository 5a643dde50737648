import { explain } from "../../base/errors.ts";
import { type Scope, withBindings } from "../../base/scope.ts";
import type { Container, ContainerStatus, PodSpec, Probe, StoredPod } from "../../kube/types.ts";
import type { ContainerRecord, RuntimeService } from "../../runtime/types.ts";
import type { EventRecorder } from "../event-recorder.ts";
import { latestInstance } from "../instances.ts";
import { isSidecar } from "../restart-rules.ts";
import { containerID } from "../status/container-status.ts";
import { ProbeWorker } from "./probe-worker.ts";
import { runProbe } from "./run-probe.ts";
import type { ProbeKind, ProbeOutcome, ProbeResult } from "./types.ts";

/** What a pod's probes need of the agent. */
export interface ProbeSurroundings {
  readonly runtime: Pick<RuntimeService, "exec">;
  readonly events: Pick<EventRecorder, "record">;
  readonly podIP: () => string | undefined;
  /** The pod as it is now. */
  readonly pod: () => StoredPod;
  /** Called when a probe's result has changed. */
  readonly onChange: () => void;
}

/** What probes say of a running container. */
export interface ContainerHealth {
  /** Its startup probe, where it has one, has succeeded. */
  readonly started: boolean;
  /** Its readiness probe, where it has one, has succeeded last. */
  readonly ready: boolean;
}

const kinds: readonly ProbeKind[] = ["startup", "liveness", "readiness"];
const titles = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" } as const;
const attempts = 3;

interface Entry {
  readonly id: string;
  readonly kind: ProbeKind;
  readonly worker: ProbeWorker;
}

/** The probes of one pod: a worker per running container instance and probe, its result kept apart from the others. */
export class PodProbes {
  readonly #workers = new Map<string, Entry>();
  #isQuiet = false;

  /**
   * Brings the workers in line with what runs: `records` are the pod's instances, `inHook` names the containers
   * whose postStart hook has not returned, which are not probed yet. Costs nothing for a pod without probes.
   */
  sync(
    pod: StoredPod,
    records: readonly ContainerRecord[],
    inHook: ReadonlySet<string>,
    surroundings: ProbeSurroundings,
    scope: Scope,
  ): void {
    const wanted = new Set<string>();
    for (const container of probedContainers(pod.spec)) {
      const record = latestInstance(records, container.name);
      if (record?.phase !== "Running" || inHook.has(container.name)) continue;
      for (const kind of kinds) {
        const probe = probeOf(container, kind);
        if (probe === undefined) continue;
        const key = `${record.id} ${kind}`;
        wanted.add(key);
        if (this.#workers.has(key)) continue;
        const worker = this.#worker(pod, container, kind, probe, record, surroundings);
        this.#workers.set(key, { id: record.id, kind, worker });
        if (this.#isQuiet && kind !== "readiness") continue;
        const bound = withBindings(scope, { container: container.name, probe: kind });
        worker.run(bound).catch((error) => bound.log.error({ error: explain(error) }, "probe ended"));
      }
    }
    for (const [key, { worker }] of this.#workers) {
      if (wanted.has(key)) continue;
      worker.stop();
      this.#workers.delete(key);
    }
  }

  /** What the probes say of a container's running instance, also one that began to run since {@link sync}. */
  health(pod: StoredPod, record: ContainerRecord): ContainerHealth {
    if (record.phase !== "Running") return { started: false, ready: false };
    const started = this.#passed(pod, record, "startup");
    return { started, ready: started && this.#passed(pod, record, "readiness") };
  }

  /** Ids of instances that a probe has given up, and which. */
  unhealthy(): ReadonlyMap<string, "liveness" | "startup"> {
    const found = new Map<string, "liveness" | "startup">();
    for (const { id, kind, worker } of this.#workers.values()) {
      if (kind !== "readiness" && worker.result === "Failure") found.set(id, kind);
    }
    return found;
  }

  /** The pod's termination begins: only its readiness is still of interest. */
  quiet(): void {
    this.#isQuiet = true;
    for (const { kind, worker } of this.#workers.values()) if (kind !== "readiness") worker.stop();
  }

  /** Ends all workers; results stay. */
  stop(): void {
    for (const { worker } of this.#workers.values()) worker.stop();
  }

  #passed(pod: StoredPod, record: ContainerRecord, kind: ProbeKind): boolean {
    const entry = this.#workers.get(`${record.id} ${kind}`);
    if (entry !== undefined) return entry.worker.result === "Success";
    const container = probedContainers(pod.spec).find(({ name }) => name === record.name);
    if (container === undefined || probeOf(container, kind) === undefined) return true;
    return initialResult(pod, kind, record) === "Success";
  }

  #worker(
    pod: StoredPod,
    container: Container,
    kind: ProbeKind,
    probe: Probe,
    record: ContainerRecord,
    surroundings: ProbeSurroundings,
  ): ProbeWorker {
    return new ProbeWorker({
      kind,
      probe,
      startedAt: record.startedAt ?? record.createdAt,
      initial: initialResult(pod, kind, record),
      isStarted: () => this.#passed(pod, record, "startup"),
      onChange: () => {
        if (kind === "startup") {
          for (const { id, worker } of this.#workers.values()) if (id === record.id) worker.poke();
        }
        surroundings.onChange();
      },
      attempt: (failureCounts, scope) =>
        attempt(probe, kind, container, record.id, failureCounts, surroundings, scope),
    });
  }
}

/** The containers that may have probes: not plain init containers, nor ephemeral ones. */
function probedContainers(spec: PodSpec): readonly Container[] {
  const sidecars = spec.initContainers?.filter(isSidecar) ?? [];
  return sidecars.length === 0 ? spec.containers : [...sidecars, ...spec.containers];
}

function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
  if (kind === "startup") return container.startupProbe;
  return kind === "liveness" ? container.livenessProbe : container.readinessProbe;
}

/**
 * What holds until a probe has said something. What the status says of this very instance comes from an earlier
 * daemon and stays true: a daemon's restart must not make pods unready (KEP-4781).
 */
function initialResult({ status }: StoredPod, kind: ProbeKind, record: ContainerRecord): ProbeResult {
  if (kind === "liveness") return "Success";
  const isSame = (shown: ContainerStatus) => shown.containerID === containerID(record);
  const before = status?.containerStatuses?.find(isSame) ?? status?.initContainerStatuses?.find(isSame);
  if (kind === "startup") return before?.started === true ? "Success" : "Unknown";
  return before?.ready === true ? "Success" : "Failure";
}

async function attempt(
  probe: Probe,
  kind: ProbeKind,
  container: Container,
  id: string,
  failureCounts: boolean,
  { runtime, events, podIP, pod }: ProbeSurroundings,
  scope: Scope,
): Promise<"Success" | "Failure" | undefined> {
  const address = podIP();
  if (address === undefined) return undefined;
  const report = (reason: string, message: string) =>
    events.record(pod(), "Warning", reason, `${titles[kind]} probe ${message}`, scope, container.name);
  let outcome: ProbeOutcome;
  try {
    outcome = await withRetries(
      () => runProbe(probe, { runtime, container, id, podIP: address }, scope),
      scope,
    );
  } catch (error) {
    if (scope.signal.aborted) return undefined;
    if (failureCounts) report("Unhealthy", `errored and resulted in unknown state: ${explain(error)}`);
    return undefined;
  }
  if (outcome.verdict === "Failure") {
    if (failureCounts) report("Unhealthy", `failed: ${outcome.output}`);
    return "Failure";
  }
  if (outcome.verdict === "Warning") report("ProbeWarning", `warning: ${outcome.output}`);
  return "Success";
}

/** An attempt that could not be made is made again at once, as the kubelet does. */
async function withRetries<T>(action: () => Promise<T>, scope: Scope): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await action();
    } catch (error) {
      if (count === attempts || scope.signal.aborted) throw error;
    }
  }
}
