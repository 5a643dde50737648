import { PassThrough, type Readable, Writable } from "node:stream";
import type { ReadStream } from "node:tty";
import { type IPty, spawn } from "@lydell/node-pty";

/** A process on a pseudo terminal of its own (pty(7)). */
export interface TerminalProcess {
  readonly pid: number;
  readonly input: Writable;
  readonly output: Readable;
  resize(columns: number, rows: number): void;
  /** Signals the process on the terminal; nothing happens when it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** The exit code, 128 + N after signal N; resolves when the process has ended and its output was read. */
  readonly exited: Promise<number>;
  /** Aborts when the process has ended, some 200 ms later at most, or left its terminal; whoever still reads its output. */
  readonly gone: AbortSignal;
}

/** Starts a program as the leader of a new session whose terminal is a new pseudo terminal. */
export function startOnTerminal(
  file: string,
  args: readonly string[],
  size: { columns: number; rows: number },
): TerminalProcess {
  const pty: IPty = spawn(file, [...args], {
    name: process.env.TERM ?? "xterm",
    cols: size.columns,
    rows: size.rows,
    // Raw bytes: a character may be split between two reads.
    encoding: null,
  });
  const output = new PassThrough();
  const gone = new AbortController();
  closeOnceRead(pty, output, () => gone.abort());
  pty.onData((data) => {
    // The declared type is string, but without an encoding the data are bytes.
    if (!output.write(data as unknown as Buffer)) pty.pause();
  });
  output.on("drain", () => pty.resume());
  const exited = new Promise<number>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      gone.abort();
      output.end();
      resolve(signal === undefined || signal === 0 ? exitCode : 128 + signal);
    });
  });
  const input = new Writable({
    write: (chunk: Buffer, _, done) => {
      if (!gone.signal.aborted) pty.write(chunk as unknown as string);
      done();
    },
    final: (done) => {
      // A terminal has no half-close; end of file is what its line discipline makes of ^D.
      if (!gone.signal.aborted) pty.write("\x04");
      done();
    },
  });
  return {
    pid: pty.pid,
    input,
    output,
    resize: (columns, rows) => {
      if (!gone.signal.aborted) pty.resize(columns, rows);
    },
    kill: (signal) => {
      if (!gone.signal.aborted) pty.kill(signal);
    },
    exited,
    gone: gone.signal,
  };
}

const idleMilliseconds = 200;

/**
 * node-pty closes its end 200 ms after the process' end, whatever is still to be read: output would be lost to a slow reader or a
 * busy machine. Here it is closed by itself (read(2) fails with EIO once nobody holds the other end) or, where a process in
 * the background does, when nothing came for a while. `onEnd` is called when the process has ended or left it.
 */
function closeOnceRead(pty: IPty, output: PassThrough, onEnd: () => void): void {
  const { _socket: socket } = pty as unknown as { _socket: ReadStream };
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error) => {
    onEnd();
    if (error !== undefined || socket.readableEnded) return destroy(error);
    let read = -1;
    const look = () => {
      if (socket.destroyed) return;
      if (!output.writableNeedDrain && socket.bytesRead === read) {
        destroy();
        return;
      }
      // While the reader holds it up, nothing can have come: the next look is the first that counts.
      read = output.writableNeedDrain ? -1 : socket.bytesRead;
      // The timer alone could run, on a machine that stood still, before what has come meanwhile is read.
      setTimeout(() => setImmediate(look), idleMilliseconds);
    };
    look();
    return socket;
  };
}
