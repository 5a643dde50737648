import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { FastifyReply } from "fastify";
import { explain } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { representList, representObject } from "../table/represent.ts";

/** Sends what a verb answered: an object in the representation that the client wants, or a stream. */
export async function sendAnswer(
  request: ApiRequest,
  answer: ApiAnswer,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if ("stream" in answer) return sendStream(request, answer, reply);
  const warnings = (answer.warnings ?? []).map(warningHeader);
  if (warnings.length > 0) reply.header("warning", warnings);
  return reply
    .code(answer.code ?? 200)
    .header("content-type", "application/json")
    .send(JSON.stringify(represent(request, answer.object)));
}

function represent(request: ApiRequest, object: object): object {
  if ("kind" in object && object.kind === "Status") return object;
  if ("items" in object && Array.isArray(object.items) && "metadata" in object) {
    return representList(request, object as { metadata: object; items: KubernetesObject[] });
  }
  return representObject(request, object as KubernetesObject);
}

/**
 * Sends a stream as fast as the client reads it. The head goes out at once, since the first byte may be long in
 * coming; a failure after that can only cut the connection.
 */
async function sendStream(
  { scope }: ApiRequest,
  { stream, contentType }: Extract<ApiAnswer, { stream: unknown }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": contentType, "cache-control": "no-cache, private" });
  reply.raw.flushHeaders();
  try {
    await pipeline(Readable.from(stream, { objectMode: true, highWaterMark: 1 }), reply.raw);
  } catch (error) {
    if (!scope.signal.aborted) scope.log.warn({ error: explain(error) }, "answer broke off");
    reply.raw.destroy();
  }
  return reply;
}

/** RFC 9111 section 5.5 as the API server uses it: https://kubernetes.io/blog/2020/09/03/warnings/. */
function warningHeader(text: string): string {
  // Headers are latin1 without line ends.
  const safe = text.replaceAll(/[^\x20-\x7e]/g, "?").replaceAll(/["\\]/g, "\\$&");
  return `299 - "${safe}"`;
}
