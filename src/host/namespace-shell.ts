import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { PeapodError } from "../base/errors.ts";
import { startProcess } from "./child-process.ts";

/** What one command of {@link NamespaceShell.ask} printed; 127 is the shell's "not found". */
export interface ShellAnswer {
  readonly exitCode: number;
  readonly stdout: string;
}

const answerTimeoutMilliseconds = 5_000;

/**
 * One kept-alive `sh` inside a network and an IPC namespace (nsenter(1)), asked over its standard input: an
 * answer costs no new nsenter. It ends by itself when the daemon does, because its input ends then.
 *
 * It keeps its namespaces alive, so it must be closed before they are to go.
 */
export class NamespaceShell {
  readonly #child: ChildProcess;
  readonly #marker = `==${randomUUID()}`;
  readonly #ended: Promise<void>;
  #failure: PeapodError | undefined;
  /** In Latin-1, so that a character that is split between two chunks comes out whole. */
  #output = "";
  #onOutput: () => void = () => {};
  #queue: Promise<unknown> = Promise.resolve();

  /** `undefined` namespaces are the daemon's own. A shell that can't start says so at the first question. */
  constructor(namespaces: { readonly netns: string | undefined; readonly ipcns: string | undefined }) {
    const { netns, ipcns } = namespaces;
    const flags = [
      ...(netns === undefined ? [] : [`--net=${netns}`]),
      ...(ipcns === undefined ? [] : [`--ipc=${ipcns}`]),
    ];
    const [file, ...args] = flags.length === 0 ? ["sh"] : ["nsenter", ...flags, "--", "sh"];
    this.#child = startProcess(file ?? "sh", args, {
      stdio: ["pipe", "pipe", "ignore"],
      env: { LC_ALL: "C" },
      cwd: "/",
    });
    this.#ended = new Promise((resolve) => {
      const end = (reason: string, cause?: unknown) => {
        this.#failure ??= new PeapodError("CommandFailed", reason, { cause });
        this.#onOutput();
        resolve();
      };
      this.#child.once("error", (error) => end(`${file}: ${error.message}`, error));
      this.#child.once("close", (code, signal) =>
        end(`${file}: ended with ${signal ?? `exit code ${code}`}`),
      );
    });
    this.#child.stdin?.on("error", () => {});
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#output += chunk.toString("latin1");
      this.#onOutput();
    });
  }

  /** Whether it can still answer. */
  get alive(): boolean {
    return this.#failure === undefined;
  }

  /**
   * Runs shell commands one after the other; the answers come in the same order. The
   * commands must not contain anything that comes from outside. Rejects with CommandFailed when the shell is or
   * goes down, or does not answer within five seconds (it is then closed).
   */
  ask(commands: readonly string[]): Promise<ShellAnswer[]> {
    const answer = this.#queue.then(() => this.#ask(commands));
    this.#queue = answer.catch(() => {});
    return answer;
  }

  async #ask(commands: readonly string[]): Promise<ShellAnswer[]> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#output = "";
    const script = commands.map((command) => `{ ${command}; } </dev/null; echo; echo "${this.#marker} $?"\n`);
    this.#child.stdin?.write(script.join(""));
    const pattern = new RegExp(`\n${this.#marker} (\\d+)\n`, "g");
    const timer = setTimeout(() => {
      this.#failure ??= new PeapodError("Timeout", "the helper in the pod's namespaces does not answer");
      this.#child.kill("SIGKILL");
      this.#onOutput();
    }, answerTimeoutMilliseconds);
    try {
      for (;;) {
        const marks = [...this.#output.matchAll(pattern)];
        if (marks.length >= commands.length) {
          let start = 0;
          return marks.map((mark) => {
            const stdout = this.#output.slice(start, mark.index);
            start = mark.index + mark[0].length;
            return { exitCode: Number(mark[1]), stdout: Buffer.from(stdout, "latin1").toString() };
          });
        }
        if (this.#failure !== undefined) throw this.#failure;
        await new Promise<void>((resolve) => {
          this.#onOutput = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
      this.#onOutput = () => {};
    }
  }

  /** Ends the shell and resolves when it is gone. Idempotent. */
  async close(): Promise<void> {
    this.#failure ??= new PeapodError("CommandFailed", "the helper in the pod's namespaces was closed");
    this.#child.stdin?.end();
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
