import type { Readable } from "node:stream";
import type { Status } from "../status.ts";

/** How a session ended: a Status, which needs neither its kind nor a code here. */
export type SessionEnd = Omit<Status, "kind" | "apiVersion" | "code">;

/** The client's end of an exec or attach session, whichever protocol it speaks. */
export interface RemoteCommandPeer {
  /** What the client types; ends when it says so or goes away. Must be read, or the client is held back. */
  readonly stdin: Readable;
  /** Resolves when the data have left, or when there is nobody to send them to any more. */
  send(output: "stdout" | "stderr", data: Uint8Array): Promise<void>;
  /** Says how it ended (a Status) and closes the connection. */
  finish(status: SessionEnd): Promise<void>;
  onResize(listener: (columns: number, rows: number) => void): void;
  /** Aborts when the client has gone away. */
  readonly gone: AbortSignal;
}

/** A terminal's size as remotecommand sends it (`{"Width": …, "Height": …}`); undefined for nonsense. */
export function decodeSize(data: Uint8Array | string): { columns: number; rows: number } | undefined {
  try {
    const { Width: columns, Height: rows } = JSON.parse(data.toString());
    const isValid = [columns, rows].every((value) => Number.isInteger(value) && value > 0 && value < 65_536);
    return isValid ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}
