import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";

/** Bytes from which the API server compresses an answer. */
const threshold = 128 * 1024;

const compressText = promisify(gzip);

/** Compresses a large answer for a client that takes gzip. Streams are left as they are. */
export async function compress(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  if (typeof payload !== "string" || payload.length < threshold) return payload;
  if (!/\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(request.headers["accept-encoding"] ?? ""))
    return payload;
  reply.header("content-encoding", "gzip").header("vary", "accept-encoding").removeHeader("content-length");
  // The level that the API server chose: speed matters more than size on the way to a client nearby.
  return compressText(payload, { level: 1 });
}
