import type { Writable } from "node:stream";

/** Writes the bytes and waits while the reader at the other end is slow, so that memory stays bounded. */
export async function writeFully(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (stream.write(bytes)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (done: () => void) => () => {
      stream.off("drain", onDrain).off("error", onError);
      done();
    };
    const onDrain = settle(resolve);
    const onError = settle(() => reject(new Error("the output was closed")));
    stream.once("drain", onDrain).once("error", onError);
  });
}

/** Ends the process quietly when the reader of its output leaves (`peapod logs x | head`). */
export function exitWhenClosed(stream: Writable): void {
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
}
