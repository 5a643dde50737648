import { isDeepStrictEqual } from "node:util";
import type { Image } from "../images/types.ts";
import type { StoredPod } from "../kube/types.ts";
import { BackOff, imagePullLimits, restartLimits, setUpLimits } from "./back-off.ts";
import type { PodEnvironment } from "./environment.ts";
import type { Hold, PodEnd } from "./plan-types.ts";
import { PodProbes } from "./prober/pod-probes.ts";
import type { ResizeState } from "./resize/resize-types.ts";
import type { Waiting } from "./status/container-status.ts";
import type { ContainerStop } from "./stop-containers.ts";

/** Reasons of waiting containers that may pass when an object of the API changes. */
const configurationReasons = ["CreateContainerConfigError", "ContainerCreating"];

/**
 * What the agent remembers of a pod while it works on it. All of it can be lost: a new daemon gets it back from
 * the store and the drivers.
 */
export class PodState {
  /** As last seen in the API. */
  pod: StoredPod;
  /** What the last round has worked on: a status tells of nothing later, as the kubelet's. */
  syncedGeneration: number;
  /** The API no longer has it. */
  gone = false;
  /** One way: sync → terminating → terminated. A UID never goes back. */
  phase: "sync" | "terminating" | "terminated" = "sync";
  /** Ends everything under way for the pod when its termination begins. */
  readonly abort = new AbortController();
  /** Containers being started, by name. */
  readonly starting = new Map<string, Promise<void>>();
  /** Ends the starts under way when the pod ends by itself. */
  readonly startsAbort = new AbortController();
  /** Containers whose postStart hook has not returned yet, by name. */
  readonly inHook = new Set<string>();
  /** Containers being stopped, by id. */
  readonly stops = new Map<string, ContainerStop>();
  /** Ids of containers that were stopped in order to run again. */
  readonly restarting = new Set<string>();
  readonly probes = new PodProbes();
  /** Containers whose last start failed, and until when they wait. */
  readonly holds = new Map<string, Hold>();
  /** What is shown for containers that wait. */
  waiting: ReadonlyMap<string, Waiting> = new Map();
  /** Sandbox, network and volumes, once somebody asked for them. */
  environment: Promise<PodEnvironment> | undefined;
  /** Images that the host image stands in for, so that restarts need not ask the registry again. */
  readonly fallbackImages = new Set<string>();
  /** What is under way for want of other resources; undefined until this daemon has looked. */
  resize: ResizeState | undefined;
  /** Images of containers that wait for the pod's sandbox, network or volumes, so that a retry need not pull them again. */
  readonly imagesAtHand = new Map<string, { readonly reference: string; readonly image: Image }>();
  /** Set when the node itself ends the pod. */
  ended: PodEnd | undefined;
  /** Containers that ran to their end, resources already given back. */
  finished = false;

  readonly restarts = new BackOff(restartLimits);
  readonly pulls = new BackOff(imagePullLimits);
  readonly setUps = new BackOff(setUpLimits);
  readonly resizes = new BackOff(setUpLimits);

  constructor(pod: StoredPod) {
    this.pod = pod;
    this.syncedGeneration = pod.metadata.generation ?? 1;
  }

  /**
   * Forgets that starts failed for want of configuration: what was missing may be there now. Called when something
   * changed that the pod's containers or volumes are made of.
   */
  retryConfiguration(): void {
    for (const [name, { reason }] of this.holds) {
      if (configurationReasons.includes(reason)) this.holds.delete(name);
    }
  }

  /** Compares the pod with what it was before: containers may refer to its labels and annotations. */
  takeMetadata(before: StoredPod): void {
    const { labels, annotations } = this.pod.metadata;
    const changed =
      !isDeepStrictEqual(labels, before.metadata.labels) ||
      !isDeepStrictEqual(annotations, before.metadata.annotations);
    if (changed) this.retryConfiguration();
  }

  get uid(): string {
    return this.pod.metadata.uid;
  }
}
