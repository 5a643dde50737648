/** The terminal while a command in a container owns it. Disposing gives it back as it was. */
export interface TakenTerminal extends Disposable {
  /** Its size now, then after each change (SIGWINCH). Ends with the disposal. */
  readonly sizes: AsyncIterable<{ readonly columns: number; readonly rows: number }>;
}

/** Puts the terminal into raw mode: every key, Ctrl-C too, goes to the command. */
export function takeTerminal(): TakenTerminal {
  const { stdin, stdout } = process;
  const wasRaw = stdin.isRaw;
  stdin.setRawMode(true);
  const disposed = new AbortController();
  return {
    sizes: terminalSizes(stdout, disposed.signal),
    [Symbol.dispose]() {
      disposed.abort();
      stdin.setRawMode(wasRaw);
      stdin.pause();
    },
  };
}

async function* terminalSizes(
  stdout: NodeJS.WriteStream,
  signal: AbortSignal,
): AsyncGenerator<{ columns: number; rows: number }, void> {
  let wake = () => {};
  const onChange = () => wake();
  stdout.on("resize", onChange);
  signal.addEventListener("abort", onChange, { once: true });
  try {
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      yield { columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 };
      await changed;
    }
  } finally {
    stdout.off("resize", onChange);
  }
}
