import { spawn } from "@lydell/node-pty";
import { slower } from "./patience.ts";

/** A program on a pseudo terminal of its own, as a person would use it. */
export interface PseudoTerminal {
  /** Everything that was shown so far. */
  readonly screen: string;
  type(text: string): void;
  resize(columns: number, rows: number): void;
  /** Resolves once the pattern was shown, after the last text that an earlier `shows` found. */
  shows(pattern: RegExp): Promise<string>;
  readonly exited: Promise<number>;
}

const limitMilliseconds = 30_000 * slower;

/** Starts a program on a terminal of 80 columns and 24 rows. */
export function onTerminal(file: string, args: readonly string[], env: NodeJS.ProcessEnv): PseudoTerminal {
  const pty = spawn(file, [...args], { cols: 80, rows: 24, env: { ...env, TERM: "xterm" } as never });
  let screen = "";
  let seen = 0;
  let look = () => {};
  pty.onData((text) => {
    screen += text;
    look();
  });
  const exited = new Promise<number>((resolve) => {
    pty.onExit(({ exitCode }) => resolve(exitCode));
  });
  return {
    get screen() {
      return screen;
    },
    type: (text) => pty.write(text),
    resize: (columns, rows) => pty.resize(columns, rows),
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(() => {
          pty.kill();
          reject(new Error(`${pattern} was not shown; the screen: ${JSON.stringify(screen)}`));
        }, limitMilliseconds);
        look = () => {
          const match = pattern.exec(screen.slice(seen));
          if (match === null) return;
          seen += match.index + match[0].length;
          clearTimeout(limit);
          look = () => {};
          resolve(match[0]);
        };
        look();
      }),
    exited,
  };
}
