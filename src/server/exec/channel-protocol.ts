/**
 * The WebSocket subprotocols of exec: every message is one byte that names a channel, then data
 * (https://pkg.go.dev/k8s.io/apimachinery/pkg/util/remotecommand). `v5` adds a message that closes a channel, so
 * that standard input can end before the connection does.
 */
export const execProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"] as const;

export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** What a client can say. */
export type ClientMessage =
  | { readonly type: "stdin"; readonly data: Uint8Array }
  | { readonly type: "closeStdin" }
  | { readonly type: "resize"; readonly columns: number; readonly rows: number };

/** Takes a client's message apart; undefined for one that means nothing here. */
export function decodeMessage(message: Uint8Array): ClientMessage | undefined {
  const data = message.subarray(1);
  switch (message[0]) {
    case channels.stdin:
      return { type: "stdin", data };
    case channels.close:
      return data[0] === channels.stdin ? { type: "closeStdin" } : undefined;
    case channels.resize:
      return decodeSize(data);
    default:
      return undefined;
  }
}

/** A message to the client. */
export function encodeMessage(channel: number, data: Uint8Array | string): Buffer {
  return Buffer.concat([Buffer.from([channel]), typeof data === "string" ? Buffer.from(data) : data]);
}

/** What the error channel says at the end: success, or the exit code as a cause. */
export function exitStatus(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit code ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

function decodeSize(data: Uint8Array): ClientMessage | undefined {
  try {
    const { Width: columns, Height: rows } = JSON.parse(Buffer.from(data).toString());
    const valid = [columns, rows].every((value) => Number.isInteger(value) && value > 0 && value < 65_536);
    return valid ? { type: "resize", columns, rows } : undefined;
  } catch {
    return undefined;
  }
}
