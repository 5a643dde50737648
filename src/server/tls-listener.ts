import type { RequestListener, Server } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { systemErrorCode } from "../base/errors.ts";

/** Where and as whom the API answers over TCP. All of it is PEM text. */
export interface TLSOptions {
  /** `127.0.0.1` unless somebody asked for more. */
  readonly host: string;
  /** The port to try first; 0 or one that is taken: any free one. */
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  /** Signs the certificates of clients. */
  readonly authority: string;
}

export interface TLSListener {
  readonly server: Server;
  readonly port: number;
  close(): Promise<void>;
}

/** A client that sends its handshake, headers or body slower than this is cut off; streams are not limited. */
const handshakeTimeoutMilliseconds = 10_000;
const headersTimeoutMilliseconds = 10_000;
const requestTimeoutMilliseconds = 30_000;
/** How often Node.js looks for such clients. */
const checkMilliseconds = 2_000;
/** Far above what one machine's tools open, and below what would exhaust the daemon's descriptors. */
const maxConnections = 512;

/**
 * Serves the same requests over TLS. A client certificate is asked for but not required here: who has none may
 * bring a token, and authentication refuses everybody else with a Status instead of a broken handshake.
 */
export async function listenTLS(options: TLSOptions, handle: RequestListener): Promise<TLSListener> {
  const server = createServer(
    {
      cert: options.certificate,
      key: options.key,
      ca: options.authority,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      handshakeTimeout: handshakeTimeoutMilliseconds,
      connectionsCheckingInterval: checkMilliseconds,
      headersTimeout: headersTimeoutMilliseconds,
      requestTimeout: requestTimeoutMilliseconds,
    },
    handle,
  );
  server.maxConnections = maxConnections;
  try {
    await listen(server, options.host, options.port);
  } catch (error) {
    if (systemErrorCode(error) !== "EADDRINUSE" || options.port === 0) throw error;
    await listen(server, options.host, 0);
  }
  return {
    server: server as unknown as Server,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
