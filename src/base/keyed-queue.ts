/**
 * Runs at most one handler per key at a time. A key that is enqueued while its handler runs is handled
 * once more afterwards, however often it was enqueued: the latest update wins, so handlers read the current
 * value themselves and none is carried in the queue. Different keys run side by side.
 *
 * The handler must not throw; what it throws goes to `onError`.
 */
export class KeyedQueue {
  readonly #handler: (key: string) => Promise<void>;
  readonly #onError: (key: string, error: unknown) => void;
  readonly #running = new Map<string, { again: boolean; done: Promise<void> }>();
  #closed = false;

  constructor(handler: (key: string) => Promise<void>, onError: (key: string, error: unknown) => void) {
    this.#handler = handler;
    this.#onError = onError;
  }

  /** Asks for one more run of `key`'s handler after any run under way. Does nothing once closed. */
  enqueue(key: string): void {
    if (this.#closed) return;
    const current = this.#running.get(key);
    if (current !== undefined) {
      current.again = true;
      return;
    }
    const entry = { again: false, done: Promise.resolve() };
    this.#running.set(key, entry);
    entry.done = this.#run(key, entry);
  }

  /** Takes no more keys and resolves when the handlers under way have returned. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running.values()].map((entry) => entry.done));
  }

  async #run(key: string, entry: { again: boolean }): Promise<void> {
    do {
      entry.again = false;
      try {
        await this.#handler(key);
      } catch (error) {
        this.#onError(key, error);
      }
    } while (entry.again && !this.#closed);
    this.#running.delete(key);
  }
}
