import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import { systemErrorCode } from "../base/errors.ts";

/** Where a command writes, and what can be shown there. Tests pass one that collects. */
export interface Terminal {
  /** Results. */
  out(text: string): void;
  /** Everything else: progress, warnings, errors. */
  err(text: string): void;
  /** Whether standard error, where progress is shown, is a terminal that a person looks at. */
  readonly errIsTerminal: boolean;
  /** Whether standard output is one. */
  readonly outIsTerminal?: boolean;
  /** Whether standard output shows colours. */
  readonly colour: boolean;
  readonly columns: number;
  /** Lines of the terminal. */
  readonly rows?: number;
}

/** The process' own standard streams. Colour is off with `noColor`, NO_COLOR (https://no-color.org) or TERM=dumb. */
export function processTerminal(noColor: boolean): Terminal {
  const { NO_COLOR, TERM } = process.env;
  return {
    out: (text) => writeText(1, text),
    err: (text) => writeText(2, text),
    errIsTerminal: isatty(2),
    outIsTerminal: isatty(1),
    colour: !noColor && (NO_COLOR ?? "") === "" && TERM !== "dumb" && isatty(1),
    get columns() {
      // 0 where a terminal has never been told its size.
      return process.stderr.columns || 80;
    },
    get rows() {
      return process.stdout.rows ?? 24;
    },
  };
}

/**
 * Writes all of the text before it returns: making `process.stdout` costs a short command 3 ms. Ends the process
 * quietly when the reader of a pipe has left (`peapod get pods | head -1`).
 */
export function writeText(fd: 1 | 2, text: string): void {
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === "EPIPE") process.exit(0);
      if (code !== "EAGAIN") throw error;
      // Somebody made the pipe non-blocking and it is full: Node's own stream waits for it.
      (fd === 1 ? process.stdout : process.stderr).write(bytes);
      return;
    }
  }
}

const codes = { red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, dim: 2, bold: 1 } as const;

export type Style = keyof typeof codes;

/** The text in a style (ECMA-48 SGR), or as it is where the terminal shows no colour. */
export function styled(terminal: Pick<Terminal, "colour">, style: Style, text: string): string {
  return terminal.colour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;
}
