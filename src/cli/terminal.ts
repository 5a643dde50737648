/** Where a command writes, and what can be shown there. Tests pass one that collects. */
export interface Terminal {
  /** Results. */
  out(text: string): void;
  /** Everything else: progress, warnings, errors. */
  err(text: string): void;
  /** Whether standard output (progress: standard error) is a terminal that a person looks at. */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly colour: boolean;
  readonly columns: number;
}

/** The process' own standard streams. Colour is off with `noColor`, NO_COLOR (https://no-color.org) or TERM=dumb. */
export function processTerminal(noColor: boolean): Terminal {
  const { NO_COLOR, TERM } = process.env;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    get outIsTerminal() {
      return process.stdout.isTTY === true;
    },
    get errIsTerminal() {
      return process.stderr.isTTY === true;
    },
    get colour() {
      return !noColor && (NO_COLOR ?? "") === "" && TERM !== "dumb" && process.stdout.isTTY === true;
    },
    get columns() {
      return process.stderr.columns ?? process.stdout.columns ?? 80;
    },
  };
}

const codes = { red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, dim: 2, bold: 1 } as const;

export type Style = keyof typeof codes;

/** The text in a style (ECMA-48 SGR), or as it is where the terminal shows no colour. */
export function styled(terminal: Pick<Terminal, "colour">, style: Style, text: string): string {
  return terminal.colour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;
}
