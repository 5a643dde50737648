import type { Scope } from "../base/scope.ts";
import type { Client, LogQuery } from "../client/client.ts";

/** The whole log that the query selects, as text. Not for `follow`. */
export async function readLog(
  client: Client,
  namespace: string,
  pod: string,
  query: LogQuery,
  scope: Scope,
): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await client.log(namespace, pod, query, scope)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
