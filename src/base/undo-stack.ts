import { explain } from "./errors.ts";
import type { Log } from "./log.ts";

interface UndoStep {
  readonly description: string;
  readonly undo: () => Promise<void> | void;
}

/**
 * Named undo steps of something being built. Each `add` follows what it undoes; when the building fails,
 * `rollBack` runs them newest first, goes on past a step that fails and logs it by name. When the building
 * succeeds, `commit` forgets them.
 */
export class UndoStack {
  readonly #log: Log;
  #steps: UndoStep[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** Remembers how to undo what was just done. `undo` must be idempotent. */
  add(description: string, undo: () => Promise<void> | void): void {
    this.#steps.push({ description, undo });
  }

  /** Keeps what was built. */
  commit(): void {
    this.#steps = [];
  }

  /** Undoes everything added since the last commit. Never throws. */
  async rollBack(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step.undo();
      } catch (error) {
        this.#log.warn({ step: step.description, error: explain(error) }, "undo step failed");
      }
    }
  }
}

/** Runs `build` with a fresh stack: commits when it returns, rolls back and rethrows when it throws. */
export async function withUndo<T>(log: Log, build: (undo: UndoStack) => Promise<T>): Promise<T> {
  const undo = new UndoStack(log);
  try {
    const result = await build(undo);
    undo.commit();
    return result;
  } catch (error) {
    await undo.rollBack();
    throw error;
  }
}
