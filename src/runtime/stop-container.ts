import type { Scope } from "../base/scope.ts";
import { killAll } from "../host/cgroups.ts";
import { signalProcess } from "../host/processes.ts";
import type { RuntimeContext } from "./context.ts";
import { relistContainer } from "./relist.ts";
import type { ContainerRecord } from "./types.ts";

const killSignal = 9;
/** How often the kernel is asked after SIGKILL whether the end was missed. */
const recheckMilliseconds = 1_000;

/** A stop under way; another request can only make it shorter. */
interface Stopping {
  deadline: number;
  readonly deadlineChanged: () => void;
  readonly done: Promise<void>;
}

/** Stops of containers, at most one at a time for each. */
export class ContainerStops {
  readonly #context: RuntimeContext;
  readonly #stopping = new Map<string, Stopping>();

  constructor(context: RuntimeContext) {
    this.#context = context;
  }

  /** See `RuntimeService.stopContainer`. */
  async stop(id: string, graceSeconds: number, scope: Scope): Promise<ContainerRecord | undefined> {
    const deadline = scope.clock.now() + graceSeconds * 1000;
    const current = this.#stopping.get(id);
    if (current === undefined) {
      const stopping = this.#begin(id, deadline, scope);
      this.#stopping.set(id, stopping);
      try {
        await stopping.done;
      } finally {
        this.#stopping.delete(id);
      }
    } else {
      if (deadline < current.deadline) {
        current.deadline = deadline;
        current.deadlineChanged();
      }
      await current.done;
    }
    return this.#context.containers.get(id)?.record;
  }

  #begin(id: string, deadline: number, scope: Scope): Stopping {
    let wake = () => {};
    const nextChange = () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      });
    const done = Promise.resolve().then(() => this.#run(id, () => stopping.deadline, nextChange, scope));
    const stopping: Stopping = { deadline, deadlineChanged: () => wake(), done };
    return stopping;
  }

  async #run(
    id: string,
    deadline: () => number,
    nextChange: () => Promise<void>,
    scope: Scope,
  ): Promise<void> {
    const stored = this.#context.containers.get(id);
    if (stored === undefined || stored.record.phase === "Exited") return;
    const ending = new AbortController();
    const exited = this.#context.containers
      .waitForExit(id, AbortSignal.any([scope.signal, ending.signal]))
      .then(() => "exited" as const);
    // Awaited in turns below; a rejection between two turns must not be taken for an unhandled one.
    exited.catch(() => {});
    try {
      // A container that was only created has no program yet that could mind a signal.
      if (
        stored.process !== undefined &&
        stored.record.phase === "Running" &&
        deadline() > scope.clock.now()
      ) {
        signalProcess(stored.process, stored.stopSignal);
        if ((await this.#untilDeadline(exited, deadline, nextChange, scope)) === "exited") return;
      }
      if (stored.process !== undefined) signalProcess(stored.process, killSignal);
      await killAll(stored.record.cgroup, scope);
      while ((await this.#within(exited, recheckMilliseconds, scope)) === "timeout") {
        await relistContainer(this.#context, id, scope);
      }
    } finally {
      ending.abort();
    }
  }

  async #untilDeadline(
    exited: Promise<"exited">,
    deadline: () => number,
    nextChange: () => Promise<void>,
    scope: Scope,
  ): Promise<"exited" | "timeout"> {
    for (;;) {
      const remaining = deadline() - scope.clock.now();
      if (remaining <= 0) return "timeout";
      const changed = nextChange().then(() => "changed" as const);
      const outcome = await this.#within(Promise.race([exited, changed]), remaining, scope);
      if (outcome !== "changed") return outcome;
    }
  }

  /** The promise's outcome, or `timeout` after `milliseconds`. */
  async #within<T>(promise: Promise<T>, milliseconds: number, scope: Scope): Promise<T | "timeout"> {
    const timer = new AbortController();
    const signal = AbortSignal.any([scope.signal, timer.signal]);
    const timeout = scope.clock.sleep(milliseconds, signal).then(() => "timeout" as const);
    timeout.catch(() => {});
    try {
      return await Promise.race([promise, timeout]);
    } finally {
      timer.abort();
    }
  }
}
