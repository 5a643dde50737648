import { type Scope, uncancelled, untilAborted, withSignal } from "../base/scope.ts";

interface Call<T, P> {
  readonly result: Promise<T>;
  readonly listeners: Set<(progress: P) => void>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Lets callers who want the same thing at the same time share one piece of work. The work goes on until it ends
 * or the last caller's scope has ended; a caller whose scope ends gives up alone, with its signal's reason.
 */
export class JoinedCalls<T, P> {
  readonly #calls = new Map<string, Call<T, P>>();

  /** Runs `work`, or joins the run under way for `key`. `onProgress` hears of what happens from now on. */
  async join(
    key: string,
    onProgress: (progress: P) => void,
    work: (onProgress: (progress: P) => void, scope: Scope) => Promise<T>,
    scope: Scope,
  ): Promise<T> {
    scope.signal.throwIfAborted();
    let call = this.#calls.get(key);
    if (call === undefined) {
      call = this.#start(key, work, scope);
      this.#calls.set(key, call);
    }
    call.waiting += 1;
    call.listeners.add(onProgress);
    try {
      return await untilAborted(call.result, scope.signal);
    } finally {
      call.listeners.delete(onProgress);
      call.waiting -= 1;
      if (call.waiting === 0) {
        if (this.#calls.get(key) === call) this.#calls.delete(key);
        call.controller.abort(scope.signal.reason);
      }
    }
  }

  #start(
    key: string,
    work: (onProgress: (progress: P) => void, scope: Scope) => Promise<T>,
    scope: Scope,
  ): Call<T, P> {
    const listeners = new Set<(progress: P) => void>();
    const controller = new AbortController();
    const tellAll = (progress: P) => {
      for (const listener of listeners) listener(progress);
    };
    const result = work(tellAll, withSignal(uncancelled(scope), controller.signal)).finally(() => {
      if (this.#calls.get(key)?.result === result) this.#calls.delete(key);
    });
    // Nobody may be left to hear of the failure of a call that all callers gave up.
    result.catch(() => {});
    return { result, listeners, controller, waiting: 0 };
  }
}
