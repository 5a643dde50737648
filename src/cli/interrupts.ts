/**
 * Ctrl-C (SIGINT) and SIGTERM. By default the first one aborts {@link Interrupts.signal} and the second ends the
 * process at once; a command that has to clean up takes them over for as long as it needs.
 */
export class Interrupts {
  readonly #abort = new AbortController();
  #handler: ((count: number) => void) | undefined;
  #count = 0;

  readonly signal: AbortSignal = this.#abort.signal;

  /** Tells the current handler of one more interrupt. */
  interrupt(): void {
    this.#count += 1;
    if (this.#handler !== undefined) this.#handler(this.#count);
    else if (this.#count > 1) process.exit(130);
    else this.#abort.abort(new DOMException("interrupted", "AbortError"));
  }

  /** From now on `handler` is called with the number of interrupts so far, instead of the default. */
  take(handler: (count: number) => void): void {
    this.#handler = handler;
  }
}
