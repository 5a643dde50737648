import type { Container } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import { latestInstance } from "./instances.ts";
import type {
  ContainerKind,
  Hold,
  PodEnd,
  PodObservation,
  PodPlan,
  StartAction,
  StopAction,
} from "./plan-types.ts";

/** A plan in the making: the parts of {@link planPod} add to it what they find necessary. */
export class PlanDraft {
  createSandbox = false;
  /** Containers made earlier, in a sandbox before this one (before a reboot), are instances but did no work in it. */
  readonly since: number;
  readonly #observed: PodObservation;
  readonly #now: number;
  readonly #start: StartAction[] = [];
  readonly #stop: StopAction[] = [];
  readonly #holding = new Map<string, Hold>();

  constructor(observed: PodObservation, now: number) {
    this.#observed = observed;
    this.#now = now;
    this.since = observed.sandboxCreatedAt ?? Number.POSITIVE_INFINITY;
  }

  /** The newest instance of a container that was made in this sandbox. */
  current(container: Container): ContainerRecord | undefined {
    const record = latestInstance(this.#observed.records, container.name);
    return record !== undefined && record.createdAt >= this.since ? record : undefined;
  }

  /** Starts the container unless that is under way or it has to wait; says whether it starts. */
  start(container: Container, kind: ContainerKind, because: string): boolean {
    const { name } = container;
    if (this.#observed.starting.has(name)) return false;
    const hold = this.#observed.holds.get(name);
    if (hold !== undefined && hold.until > this.#now) {
      this.#holding.set(name, hold);
      return false;
    }
    const latest = latestInstance(this.#observed.records, name);
    const attempt = latest === undefined ? 0 : latest.attempt + 1;
    this.#start.push({ container, kind, attempt, because });
    return true;
  }

  /**
   * Stops a running container that a probe has given up, whose image has changed or which gets other resources by a
   * restart, in the kubelet's words.
   */
  stopIfNeeded(container: Container, record: ContainerRecord, restart: boolean, title = "Container"): void {
    const { name } = container;
    const push = (cause: StopAction["cause"], message: string, again: boolean) => {
      this.#stop.push({ container, record, cause, restart: again, message });
    };
    const stop = (cause: StopAction["cause"], what: string, again: boolean) => {
      push(cause, `${title} ${name} ${what}${again ? ", will be restarted" : ""}`, again);
    };
    const failed = this.#observed.unhealthy.get(record.id);
    if (record.imageReference !== (container.image ?? "")) stop("changed", "definition changed", true);
    else if (failed !== undefined) stop(failed, `failed ${failed} probe`, restart);
    else if (this.#observed.resized.has(record.id)) {
      push("resize", `Container ${name} resize requires restart`, true);
    }
  }

  /** The finished plan. When the pod ends, nothing is started any more. */
  plan({
    wakeAt,
    finished,
    ended,
  }: {
    wakeAt?: number | undefined;
    finished?: PodPlan["finished"];
    ended?: PodEnd;
  }): PodPlan {
    const isOver = finished !== undefined || ended !== undefined;
    const times = [...this.#holding.values()].map((hold) => hold.until);
    if (wakeAt !== undefined) times.push(wakeAt);
    return {
      createSandbox: this.createSandbox && !isOver,
      start: isOver ? [] : this.#start,
      stop: isOver ? [] : this.#stop,
      holding: isOver ? new Map() : this.#holding,
      wakeAt: isOver || times.length === 0 ? undefined : Math.min(...times),
      finished,
      ended,
    };
  }
}
