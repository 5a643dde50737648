import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { kubernetesVersion } from "../../base/version.ts";
import type { Container, Probe } from "../../kube/types.ts";
import { hostAndPort, portNumber } from "./port.ts";

type HTTPGetAction = NonNullable<Probe["httpGet"]>;

/** An answer to {@link httpGet}. */
export interface HTTPAnswer {
  readonly status: number;
  /** At most 10 KiB of it. */
  readonly body: string;
}

const maximumBodyBytes = 10 * 1024;
const maximumRedirects = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Where a probe or hook goes: the pod's own address unless it names another host. Throws for an unknown port. */
export function urlOf(action: HTTPGetAction, container: Container, podIP: string): URL {
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const address = hostAndPort(action.host || podIP, portNumber(action.port, container));
  const path = action.path ?? "/";
  return new URL(`${scheme}://${address}${path.startsWith("/") ? "" : "/"}${path}`);
}

/** Which program of the kubelet asks; servers find its name in the User-Agent header. */
export type HTTPClientName = "kube-probe" | "kube-lifecycle";

/**
 * One GET as the kubelet makes it: on a connection of its own, certificates unchecked, redirects followed on the
 * same host only (one to another host is the answer). Rejects with the network's error or the signal's reason.
 */
export async function httpGet(
  url: URL,
  headers: HTTPGetAction["httpHeaders"],
  client: HTTPClientName,
  signal: AbortSignal,
): Promise<HTTPAnswer> {
  const fields = requestHeaders(headers ?? [], client);
  let current = url;
  for (let followed = 0; ; followed += 1) {
    const answer = await get(current, fields, signal);
    const location = answer.headers.location;
    const next =
      redirects.has(answer.statusCode ?? 0) && location !== undefined
        ? new URL(location, current)
        : undefined;
    if (next === undefined || next.hostname !== url.hostname) {
      return { status: answer.statusCode ?? 0, body: await bodyOf(answer) };
    }
    answer.destroy();
    if (followed === maximumRedirects - 1) throw new Error(`stopped after ${maximumRedirects} redirects`);
    current = next;
  }
}

/** The action's own headers; User-Agent and Accept are there unless it names them, and gone when it empties them. */
function requestHeaders(
  headers: NonNullable<HTTPGetAction["httpHeaders"]>,
  client: HTTPClientName,
): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  const [major, minor] = kubernetesVersion.slice(1).split(".");
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    fields[key] = key in fields && key !== "host" ? [...[fields[key] ?? []].flat(), value] : value;
  }
  fields["user-agent"] ??= `${client}/${major}.${minor}`;
  fields.accept ??= "*/*";
  for (const key of ["user-agent", "accept"]) if (fields[key] === "") delete fields[key];
  return fields;
}

function get(
  url: URL,
  headers: Record<string, string | string[]>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { headers, agent: false, signal } as const;
    const request =
      url.protocol === "https:"
        ? httpsRequest(url, { ...options, rejectUnauthorized: false })
        : httpRequest(url, options);
    request.on("error", reject);
    request.on("response", resolve);
    request.end();
  });
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop closes the connection: what is over the limit is not wanted.
    if (bytes >= maximumBodyBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maximumBodyBytes).toString("utf8");
}
