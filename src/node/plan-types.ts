import type { Container } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";

/** What a container is in its pod. */
export type ContainerKind = "init" | "sidecar" | "app" | "ephemeral";

/** What is known of a pod's containers when its plan is made. Times are milliseconds since the epoch. */
export interface PodObservation {
  /** When the pod's sandbox was made; undefined while there is none. */
  readonly sandboxCreatedAt: number | undefined;
  /** When the pod began to be worked on (`status.startTime`); undefined before. */
  readonly startTime: number | undefined;
  readonly records: readonly ContainerRecord[];
  /** Containers that are being started right now, by name; until their postStart hook has returned. */
  readonly starting: ReadonlySet<string>;
  /** For a container that may not be started yet: from when on, and what to show until then. */
  readonly holds: ReadonlyMap<string, Hold>;
  /** Ids of running containers whose startup probe, where they have one, has succeeded. */
  readonly started: ReadonlySet<string>;
  /** Ids of running containers that a probe has given up, and which probe. */
  readonly unhealthy: ReadonlyMap<string, "liveness" | "startup">;
  /** Ids of running containers that must be restarted to get other resources. */
  readonly resized: ReadonlySet<string>;
  /** Ids of containers that were stopped in order to run again, whatever their exit code says. */
  readonly restarting: ReadonlySet<string>;
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
  readonly kind: ContainerKind;
  /** Number of the new instance: 0, then counted up at each restart. */
  readonly attempt: number;
  /** For the log and for `why`: what made this necessary. */
  readonly because: string;
}

/** One running container to stop. */
export interface StopAction {
  readonly container: Container;
  readonly record: ContainerRecord;
  readonly cause: "liveness" | "startup" | "changed" | "resize";
  /** Whether it is to run again, whatever its exit code. */
  readonly restart: boolean;
  /** The event's message. */
  readonly message: string;
}

/** How the node itself ends a pod. */
export interface PodEnd {
  readonly phase: "Failed";
  readonly reason: string;
  readonly message: string;
  /** Seconds between SIGTERM and SIGKILL; without it what the pod says. */
  readonly gracePeriodSeconds?: number;
}

/** What to do next for a pod that should run. Data only; `sync-pod.ts` carries it out. */
export interface PodPlan {
  readonly createSandbox: boolean;
  readonly start: readonly StartAction[];
  readonly stop: readonly StopAction[];
  /** Containers that wait for their back-off to end, with what to show. */
  readonly holding: ReadonlyMap<string, Hold>;
  /** When to make the next plan even if nothing happens until then. */
  readonly wakeAt: number | undefined;
  /** Set when nothing will ever run again in this pod: what still runs is to be stopped. */
  readonly finished: "Succeeded" | "Failed" | undefined;
  /** Set when the pod has used up its time. */
  readonly ended: PodEnd | undefined;
}
