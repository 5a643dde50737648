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
  if ("json" in answer) return reply.header("content-type", "application/json").send(answer.json);
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
  { stream, contentType, slowestReader }: Extract<ApiAnswer, { stream: unknown }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": contentType, "cache-control": "no-cache, private" });
  reply.raw.flushHeaders();
  const cutOff = () => {
    scope.log.info(
      { url: reply.request.url, milliseconds: slowestReader },
      "client reads too slowly: cut off",
    );
    // Not only ended: what is on the way to it would be kept until it is read.
    reply.raw.destroy();
  };
  const source = slowestReader === undefined ? stream : whileTaken(stream, slowestReader, cutOff);
  try {
    await pipeline(Readable.from(source, { objectMode: true, highWaterMark: 1 }), reply.raw);
  } catch (error) {
    if (!scope.signal.aborted) scope.log.warn({ error: explain(error) }, "answer broke off");
    reply.raw.destroy();
  }
  return reply;
}

/** Calls `onStalled` when a piece has not been taken for so many milliseconds. */
async function* whileTaken<T>(
  stream: AsyncIterable<T>,
  milliseconds: number,
  onStalled: () => void,
): AsyncGenerator<T, void, undefined> {
  for await (const piece of stream) {
    const timer = setTimeout(onStalled, milliseconds);
    try {
      yield piece;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** RFC 9111 section 5.5 as the API server uses it: https://kubernetes.io/blog/2020/09/03/warnings/. */
function warningHeader(text: string): string {
  // Headers are latin1 without line ends.
  const safe = text.replaceAll(/[^\x20-\x7e]/g, "?").replaceAll(/["\\]/g, "\\$&");
  return `299 - "${safe}"`;
}
