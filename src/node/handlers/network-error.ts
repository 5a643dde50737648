import { explain, systemErrorCode } from "../../base/errors.ts";

const words: Record<string, string> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

/** Why a connection could not be made, in the words that the kubelet's events have for it. */
export function dialError(error: unknown, address: string): string {
  const code = codeOf(error);
  if (isAnsweredInHTTP(error)) return "http: server gave HTTP response to HTTPS client";
  if (code === "ECONNRESET") return "read: connection reset by peer";
  if (code === "EPIPE") return "write: broken pipe";
  if (code !== undefined && words[code] !== undefined) return `dial tcp ${address}: ${words[code]}`;
  return explain(error);
}

/** Whether a TLS handshake failed because the other side speaks plain HTTP. */
export function isAnsweredInHTTP(error: unknown): boolean {
  const code = systemErrorCode(error) ?? "";
  const isFromTLS = code === "EPROTO" || code.startsWith("ERR_SSL_");
  return isFromTLS && /wrong version number|packet length too long/i.test(explain(error));
}

/** HTTP/2 wraps what happened to its connection. */
function codeOf(error: unknown): string | undefined {
  const code = systemErrorCode(error);
  const isKnown = code !== undefined && !code.startsWith("ERR_");
  return isKnown || !(error instanceof Error) || error.cause === undefined ? code : codeOf(error.cause);
}
