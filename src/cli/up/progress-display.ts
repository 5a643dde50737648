import { type Style, styled, type Terminal } from "../terminal.ts";
import type { ContainerProgress } from "./pod-progress.ts";

/** Shows how pods come up. */
export interface ProgressDisplay {
  /** The pod's containers now; `note` (an image being pulled …) stands behind those that wait. */
  update(pod: string, containers: readonly ContainerProgress[], notes: ReadonlyMap<string, string>): void;
  /** A line that stays. */
  line(text: string): void;
  /** Ends the in-place part. Idempotent. */
  close(): void;
}

/** In place on a terminal; in a pipe one line per change. Both on standard error. */
export function createProgressDisplay(terminal: Terminal): ProgressDisplay {
  return terminal.errIsTerminal ? new InPlaceDisplay(terminal) : new PlainDisplay(terminal);
}

const stageStyles: Readonly<Record<ContainerProgress["stage"], Style>> = {
  waiting: "dim",
  running: "yellow",
  ready: "green",
  completed: "green",
  failed: "red",
};

function describeStage({ stage, detail }: ContainerProgress, note: string | undefined): string {
  if (stage === "waiting") return note ?? detail;
  return detail === "" ? stage : `${stage} (${detail})`;
}

class PlainDisplay implements ProgressDisplay {
  readonly #terminal: Terminal;
  readonly #shown = new Map<string, string>();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  update(pod: string, containers: readonly ContainerProgress[], notes: ReadonlyMap<string, string>): void {
    for (const container of containers) {
      const key = `${pod} ${container.name}`;
      const text = describeStage(container, notes.get(container.name));
      if (text === "Pending" || this.#shown.get(key) === text) continue;
      this.#shown.set(key, text);
      this.line(`${key}: ${text}`);
    }
  }

  line(text: string): void {
    this.#terminal.err(`${text}\n`);
  }

  close(): void {}
}

class InPlaceDisplay implements ProgressDisplay {
  readonly #terminal: Terminal;
  readonly #pods = new Map<string, string[]>();
  #drawn = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  update(pod: string, containers: readonly ContainerProgress[], notes: ReadonlyMap<string, string>): void {
    const width = Math.max(...containers.map(({ name }) => name.length));
    const room = this.#terminal.columns - width - 5;
    const lines = containers.map((container) => {
      const text = describeStage(container, notes.get(container.name)).slice(0, Math.max(room, 10));
      return `  ${container.name.padEnd(width)}  ${styled(this.#terminal, stageStyles[container.stage], text)}`;
    });
    this.#pods.set(pod, [styled(this.#terminal, "bold", pod), ...lines]);
    this.#erase();
    this.#draw();
  }

  line(text: string): void {
    this.#erase();
    this.#terminal.err(`${text}\n`);
    this.#draw();
  }

  close(): void {
    this.#pods.clear();
    this.#drawn = 0;
  }

  #erase(): void {
    // Up to the first drawn line, then clear to the end of the screen.
    if (this.#drawn > 0) this.#terminal.err(`\u001b[${this.#drawn}A\u001b[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    const lines = [...this.#pods.values()].flat();
    this.#terminal.err(lines.map((line) => `${line}\n`).join(""));
    this.#drawn = lines.length;
  }
}
