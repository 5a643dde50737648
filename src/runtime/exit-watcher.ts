import { type FSWatcher, mkdirSync, watch } from "node:fs";
import { explain } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { exitsDir } from "../host/layout.ts";
import type { RuntimeContext } from "./context.ts";
import { settleExit } from "./settle-exit.ts";

/** Watches the folder in which monitors leave exit codes; an exit is recorded as soon as its file is there. */
export class ExitWatcher {
  readonly #context: RuntimeContext;
  readonly #pending = new Set<Promise<void>>();
  #watcher: FSWatcher | undefined;

  constructor(context: RuntimeContext) {
    this.#context = context;
  }

  start(scope: Scope): void {
    const folder = exitsDir(this.#context.layout);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#watcher = watch(folder, (_, id) => {
      // Monitors write to a temporary name first; that one is no container's.
      if (id !== null && this.#context.containers.get(id) !== undefined) this.#settle(id, scope);
    });
    this.#watcher.on("error", (error) => scope.log.error({ error: explain(error) }, "exits are not watched"));
  }

  /** Stops watching and waits for exits that are being recorded. */
  async stop(): Promise<void> {
    this.#watcher?.close();
    this.#watcher = undefined;
    await Promise.all(this.#pending);
  }

  #settle(id: string, scope: Scope): void {
    const settling = settleExit(this.#context, id, scope)
      .catch((error: unknown) =>
        scope.log.error({ container: id, error: explain(error) }, "exit not recorded"),
      )
      .finally(() => this.#pending.delete(settling));
    this.#pending.add(settling);
  }
}
