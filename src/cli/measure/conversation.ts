import type { Readable, Writable } from "node:stream";
import { PeapodError } from "../../base/errors.ts";
import { splitLines } from "../../client/lines.ts";
import type { Request } from "../../measure/types.ts";

/** Requests to one running measuring program, and its answers in their order. */
export class Conversation {
  readonly #input: Writable;
  readonly #lines: AsyncIterator<Buffer>;
  readonly #name: string;

  constructor(name: string, input: Writable, output: Readable) {
    this.#name = name;
    this.#input = input;
    this.#lines = splitLines(output);
    // A program that has ended is noticed by its missing answer.
    input.on("error", () => {});
  }

  send(request: Request): void {
    this.#input.write(`${JSON.stringify(request)}\n`);
  }

  /** The next answer. Rejects with `CommandFailed` when the program has ended, or printed something else. */
  async answer<T>(): Promise<T> {
    const { done, value } = await this.#lines.next();
    if (done === true) throw new PeapodError("CommandFailed", `the measuring program ended (${this.#name})`);
    try {
      return JSON.parse(value.toString()) as T;
    } catch {
      throw new PeapodError(
        "CommandFailed",
        `the measuring program said (${this.#name}): ${value.toString()}`,
      );
    }
  }

  /** The program ends with its input. */
  end(): void {
    this.#input.end();
  }
}
