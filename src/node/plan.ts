import type { Container, PodSpec } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import { instancesOf, latestInstance } from "./instances.ts";

/** What is known of a pod's containers when its plan is made. */
export interface PodObservation {
  /** When the pod's sandbox was made (milliseconds since the epoch); undefined while there is none. */
  readonly sandboxCreatedAt: number | undefined;
  readonly records: readonly ContainerRecord[];
  /** Containers that are being started right now. */
  readonly starting: ReadonlySet<string>;
  /** For a container that may not be started yet: from when on, and what to show until then. */
  readonly holds: ReadonlyMap<string, Hold>;
}

/** Why a container waits. `until` is milliseconds since the epoch. */
export interface Hold {
  readonly until: number;
  readonly reason: string;
  readonly message: string;
}

/** One container to start. */
export interface StartAction {
  readonly container: Container;
  readonly kind: "init" | "app";
  /** Number of the new instance: 0, then counted up at each restart. */
  readonly attempt: number;
  /** For the log and for `why`: what made this necessary. */
  readonly because: string;
}

/** What to do next for a pod that should run. Data only; `sync-pod.ts` carries it out. */
export interface PodPlan {
  readonly createSandbox: boolean;
  readonly start: readonly StartAction[];
  /** Containers that wait for their back-off to end, with what to show. */
  readonly holding: ReadonlyMap<string, Hold>;
  /** When to make the next plan even if nothing happens until then. */
  readonly wakeAt: number | undefined;
  /** Set when nothing will ever run again in this pod. */
  readonly finished: "Succeeded" | "Failed" | undefined;
}

const nothing: PodPlan = {
  createSandbox: false,
  start: [],
  holding: new Map(),
  wakeAt: undefined,
  finished: undefined,
};

/**
 * Decides what a pod needs next, as the kubelet's computePodActions does: a sandbox, the next init
 * container, or those app containers that are missing or whose restart policy wants them back
 * (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/). Pure.
 */
export function planPod(spec: PodSpec, observed: PodObservation, now: number): PodPlan {
  const restartPolicy = spec.restartPolicy ?? "Always";
  const appRecords = spec.containers.map((container) => latestInstance(observed.records, container.name));

  if (observed.sandboxCreatedAt === undefined) {
    const everStarted = appRecords.some((record) => record !== undefined);
    const finished = everStarted ? finishedPhase(spec, observed, 0) : undefined;
    if (finished !== undefined) return { ...nothing, finished };
  }

  // Containers made in an earlier sandbox (before a reboot) count as instances, not as work done in this one.
  const since = observed.sandboxCreatedAt ?? Number.POSITIVE_INFINITY;
  const createSandbox = observed.sandboxCreatedAt === undefined;
  const started: StartAction[] = [];
  const holding = new Map<string, Hold>();

  const consider = (container: Container, kind: "init" | "app", because: string) => {
    if (observed.starting.has(container.name)) return;
    const hold = observed.holds.get(container.name);
    if (hold !== undefined && hold.until > now) {
      holding.set(container.name, hold);
      return;
    }
    const attempt = nextAttempt(observed.records, container.name);
    started.push({ container, kind, attempt, because });
  };
  const result = (finished?: "Succeeded" | "Failed"): PodPlan => ({
    createSandbox,
    start: started,
    holding,
    wakeAt: holding.size === 0 ? undefined : Math.min(...[...holding.values()].map((hold) => hold.until)),
    finished,
  });

  const appStarted = appRecords.some((record) => record !== undefined && record.createdAt >= since);
  if (!appStarted) {
    for (const container of spec.initContainers ?? []) {
      const record = latestInstance(observed.records, container.name);
      const current = record !== undefined && record.createdAt >= since ? record : undefined;
      if (current === undefined) {
        consider(container, "init", "init container has not run yet");
        return result();
      }
      if (current.phase !== "Exited") return result();
      if (current.exitCode === 0) continue;
      if (restartPolicy === "Never") return result("Failed");
      consider(container, "init", `init container failed with exit code ${current.exitCode}`);
      return result();
    }
  }

  for (const container of spec.containers) {
    const record = latestInstance(observed.records, container.name);
    if (record === undefined) {
      consider(container, "app", "container has not run yet");
    } else if (record.phase === "Exited" && mayRestart(restartPolicy, record)) {
      consider(container, "app", `restartPolicy ${restartPolicy} after exit code ${record.exitCode}`);
    }
  }
  return result(finishedPhase(spec, observed, since));
}

/** Whether the restart policy brings an exited container back. */
export function mayRestart(restartPolicy: string, record: ContainerRecord): boolean {
  if (restartPolicy === "Always") return true;
  return restartPolicy === "OnFailure" && record.exitCode !== 0;
}

function finishedPhase(
  spec: PodSpec,
  observed: PodObservation,
  since: number,
): "Succeeded" | "Failed" | undefined {
  const restartPolicy = spec.restartPolicy ?? "Always";
  let failed = false;
  for (const container of spec.containers) {
    if (observed.starting.has(container.name)) return undefined;
    const record = latestInstance(observed.records, container.name);
    if (record === undefined || record.phase !== "Exited" || mayRestart(restartPolicy, record))
      return undefined;
    if (record.createdAt < since && restartPolicy !== "Never" && record.exitCode !== 0) return undefined;
    failed ||= record.exitCode !== 0;
  }
  return failed ? "Failed" : "Succeeded";
}

function nextAttempt(records: readonly ContainerRecord[], name: string): number {
  const latest = instancesOf(records, name)[0];
  return latest === undefined ? 0 : latest.attempt + 1;
}
