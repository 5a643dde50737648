import type { ChildProcess } from "node:child_process";
import { startProcess } from "./child-process.ts";

/** A running bpftrace(8) program. */
export interface KernelTracer {
  /** Why it could not start, or ended; undefined while it starts and runs. */
  readonly failure: string | undefined;
  /** Ends it and resolves when its probes are gone. Idempotent. */
  close(): Promise<void>;
}

/** How long the compiler and the kernel's verifier may take before the first line. */
const startMilliseconds = 120_000;
/** Map entries per map: each is printed once a second. */
const maxKeys = 8_192;
/** Longest string that a program handles: sun_path of unix(7), with its end. */
const stringLength = 109;

/**
 * tracefs is mounted only in the mount namespace of bpftrace itself where the host has not mounted it. The parent
 * death signal is kept over exec(2): the probes go with the daemon, however it ends.
 */
const launch =
  "test -e /sys/kernel/tracing/events || mount -t tracefs tracefs /sys/kernel/tracing || exit 1; " +
  'exec bpftrace -f json -e "$(cat)"';

/**
 * Runs a bpftrace program and gives every line that it prints. Starts at once; takes seconds until the first
 * line comes. `onEnd` is called once, when it has ended by itself, with {@link KernelTracer.failure} set.
 */
export function startKernelTracer(
  program: string,
  onLine: (line: string) => void,
  onEnd: () => void,
): KernelTracer {
  return new Tracer(program, onLine, onEnd);
}

class Tracer implements KernelTracer {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #startTimer: NodeJS.Timeout;
  #failure: string | undefined;
  #closed = false;
  #output = "";
  #errors = "";

  constructor(program: string, onLine: (line: string) => void, onEnd: () => void) {
    this.#child = startProcess(
      "setpriv",
      ["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--", "sh", "-c", launch],
      {
        stdio: ["pipe", "pipe", "pipe"],
        env: { LC_ALL: "C", BPFTRACE_STRLEN: `${stringLength}`, BPFTRACE_MAP_KEYS_MAX: `${maxKeys}` },
        cwd: "/",
      },
    );
    this.#startTimer = setTimeout(() => {
      this.#errors = "it did not start in time";
      this.#child.kill("SIGKILL");
    }, startMilliseconds);
    this.#ended = new Promise((resolve) => {
      const end = (reason: string) => {
        clearTimeout(this.#startTimer);
        if (this.#failure === undefined && !this.#closed) {
          this.#failure = reason;
          onEnd();
        }
        resolve();
      };
      this.#child.once("error", (error) => end(error.message));
      this.#child.once("close", () => end(explainErrors(this.#errors)));
    });
    this.#child.stdin?.on("error", () => {});
    this.#child.stdin?.end(program);
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-16_384);
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      clearTimeout(this.#startTimer);
      const lines = (this.#output + chunk.toString("latin1")).split("\n");
      this.#output = lines.pop() ?? "";
      for (const line of lines) if (line !== "") onLine(Buffer.from(line, "latin1").toString());
    });
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

/**
 * The line of bpftrace's errors that says what is wrong. Without CAP_SYS_RESOURCE it complains of a limit that newer
 * kernels don't apply to BPF, and goes on.
 */
export function explainErrors(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.includes("RLIMIT_MEMLOCK"));
  const telling = lines.find((line) => /error|not found|denied|cannot|did not/i.test(line));
  return telling?.replace(/^.*ERROR: /, "").trim() ?? lines.at(-1)?.trim() ?? "bpftrace ended";
}
