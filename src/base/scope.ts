import { type Clock, systemClock } from "./clock.ts";
import { type Log, silentLog } from "./log.ts";

/**
 * What every function that waits or logs takes as its last parameter: where to log, when to give up, and
 * what time it is. The place of Go's `context.Context`.
 */
export interface Scope {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** The same scope whose log lines carry `bindings` too. */
export function withBindings(scope: Scope, bindings: object): Scope {
  return { ...scope, log: scope.log.child(bindings) };
}

/** The same scope that also ends when `signal` aborts. */
export function withSignal(scope: Scope, signal: AbortSignal): Scope {
  return { ...scope, signal: AbortSignal.any([scope.signal, signal]) };
}

/** The same scope that also ends after `milliseconds`. */
export function withTimeout(scope: Scope, milliseconds: number): Scope {
  return withSignal(scope, AbortSignal.timeout(milliseconds));
}

/** Resolves once the signal has aborted. */
export function whenAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

/** What the promise comes to, or the signal's reason as soon as that aborts. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** The same scope that nothing cancels: for undo steps, which must run even when the caller gave up. */
export function uncancelled(scope: Scope): Scope {
  return { ...scope, signal: new AbortController().signal };
}

/** A scope that logs nothing and never ends, with the real clock: for tests and small tools. */
export function quietScope(signal: AbortSignal = new AbortController().signal): Scope {
  return { log: silentLog, signal, clock: systemClock };
}
