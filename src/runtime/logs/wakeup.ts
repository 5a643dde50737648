import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { isGone } from "../../host/files.ts";
import type { LogWriterState } from "./read-log.ts";

/** Tells a reader that waits at the end of a log when there may be more: the folder changed, the container ended. */
export class Wakeup implements Disposable {
  /** How often something happened. */
  count = 0;
  #wake: () => void = () => {};
  readonly #watcher: FSWatcher | undefined;
  readonly #stopListening: () => void;
  readonly #signal: AbortSignal;
  readonly #notify = () => {
    this.count += 1;
    this.#wake();
  };

  /** Without a path nothing is watched: for a reader that does not follow. */
  constructor(logPath: string | undefined, state: LogWriterState, signal: AbortSignal) {
    this.#signal = signal;
    this.#watcher = logPath === undefined ? undefined : watchFolder(dirname(logPath), this.#notify);
    this.#stopListening = state.onChange(this.#notify);
    signal.addEventListener("abort", this.#notify, { once: true });
  }

  /** Resolves when something has happened since `count` was `seen`, or the signal has aborted. */
  after(seen: number): Promise<void> {
    if (this.count !== seen || this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#stopListening();
    this.#signal.removeEventListener("abort", this.#notify);
  }
}

function watchFolder(folder: string, notify: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, notify);
    watcher.on("error", notify);
    return watcher;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
