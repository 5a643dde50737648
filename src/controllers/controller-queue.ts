import { Alarms } from "../base/alarms.ts";
import { explain } from "../base/errors.ts";
import { KeyedQueue } from "../base/keyed-queue.ts";
import type { Scope } from "../base/scope.ts";
import { applyPlan } from "./apply-plan.ts";
import type { Controller, ControllerEvents, ControllerObjects, PlanFailure } from "./types.ts";

/** Between two tries for an object whose plan could not be carried out: doubled each time, from the first to the last. */
const firstRetryMilliseconds = 1_000;
const lastRetryMilliseconds = 300_000;
/** A timer counts time the machine was awake: a look now and then keeps up with a clock that was set or slept. */
const longestSleepMilliseconds = 600_000;

/**
 * One controller's work queue: an object's plan is made and carried out in one go, so that nothing comes in between
 * and no plan is made from a state that an earlier one has changed since.
 */
export class ControllerQueue {
  readonly controller: Controller;
  readonly #objects: ControllerObjects;
  readonly #events: ControllerEvents;
  readonly #scope: Scope;
  readonly #queue: KeyedQueue;
  readonly #alarms: Alarms;
  readonly #failures = new Map<string, number>();

  constructor(
    controller: Controller,
    parts: { readonly objects: ControllerObjects; readonly events: ControllerEvents },
    scope: Scope,
  ) {
    this.controller = controller;
    this.#objects = parts.objects;
    this.#events = parts.events;
    this.#scope = scope;
    // Handlers begin in a turn of their own: who told of the change is not held up.
    this.#queue = new KeyedQueue(
      async (key) => {
        await Promise.resolve();
        if (!scope.signal.aborted) this.#reconcile(key);
      },
      (key, error) => {
        scope.log.error({ key, error: explain(error) }, "not reconciled");
        this.#retryLater(key);
      },
    );
    this.#alarms = new Alarms((key) => this.#queue.enqueue(key), scope.clock.now);
  }

  /** Looks at the named object soon. */
  enqueue(namespace: string, name: string): void {
    this.#queue.enqueue(`${namespace}/${name}`);
  }

  /** Looks at every object soon. */
  enqueueAll(): void {
    for (const { metadata } of this.#objects.list(this.controller.resource).items) {
      this.enqueue(metadata.namespace ?? "", metadata.name);
    }
  }

  /** Resolves when no plan is under way any more. */
  async close(): Promise<void> {
    this.#alarms.clear();
    await this.#queue.close();
  }

  #reconcile(key: string): void {
    const { resource } = this.controller;
    const [namespace = "", name = ""] = key.split("/");
    this.#alarms.clear(key);
    const failure = this.#carryOut({ resource, namespace, name }, undefined);
    if (failure === undefined) {
      this.#failures.delete(key);
      return;
    }
    this.#scope.log.warn({ key, reason: failure.reason, error: failure.message }, "plan not carried out");
    this.#carryOut({ resource, namespace, name }, failure);
    this.#retryLater(key);
  }

  /** After a failure only the status is written: what else is to be done has just been tried. */
  #carryOut(
    key: Parameters<ControllerObjects["get"]>[0],
    earlier: PlanFailure | undefined,
  ): PlanFailure | undefined {
    const object = this.#objects.get(key);
    if (object === undefined) return undefined;
    const now = this.#scope.clock.now();
    const plan = this.controller.plan(object, this.#objects, now, earlier);
    const actions = earlier === undefined ? plan.actions : plan.actions.filter(isStatus);
    const target = {
      resource: key.resource,
      object,
      objects: this.#objects,
      events: this.#events,
    };
    const failure = applyPlan(actions, target);
    if (plan.wakeAt !== undefined) {
      this.#alarms.set(`${key.namespace}/${key.name}`, Math.min(plan.wakeAt, now + longestSleepMilliseconds));
    }
    return failure;
  }

  #retryLater(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delay = Math.min(firstRetryMilliseconds * 2 ** failures, lastRetryMilliseconds);
    this.#alarms.set(key, this.#scope.clock.now() + delay);
  }
}

function isStatus(action: { readonly do: string }): boolean {
  return action.do === "status";
}
