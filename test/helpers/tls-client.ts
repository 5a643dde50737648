import { type Agent, request as httpsRequest } from "node:https";
import { systemErrorCode } from "../../src/base/errors.ts";
import { clientsOf } from "./kubernetes-clients.ts";
import type { TestNode } from "./peapod.ts";

/** What somebody shows to come in. */
export interface Identity {
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

/** What the API answered over TLS. */
export interface TLSAnswer {
  readonly code: number;
  /** Of a Status. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Asks a node's API over TLS, as whoever one likes. */
export interface TLSClient {
  readonly port: number;
  /** PEM of the node's authority. */
  readonly authority: string;
  /** What the kubeconfig holds. */
  readonly admin: Identity;
  /** One request, its path sent as it is. */
  ask(
    path: string,
    identity: Identity,
    options?: {
      method?: string;
      body?: Buffer;
      headers?: Record<string, string | string[]>;
      /** Absent: a connection of its own. */
      agent?: Agent;
    },
  ): Promise<TLSAnswer>;
}

/** Reads what the node's kubeconfig says. */
export async function tlsClient(node: TestNode): Promise<TLSClient> {
  const { kubectl } = await clientsOf(node);
  const config = JSON.parse(await kubectl.ok(["config", "view", "--raw", "-o", "json"])) as {
    clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
    users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
  };
  const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
  const decode = (text = "") => Buffer.from(text, "base64").toString();
  const port = Number(new URL(cluster?.server ?? "").port);
  const authority = decode(cluster?.["certificate-authority-data"]);
  const admin = { cert: decode(user?.["client-certificate-data"]), key: decode(user?.["client-key-data"]) };
  const ask: TLSClient["ask"] = (path, identity, options = {}) =>
    new Promise((resolve, reject) => {
      const { token, ...certificate } = identity;
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const request = httpsRequest(
        {
          ...{ host: "127.0.0.1", port, path, ca: authority, agent: options.agent ?? false, ...certificate },
          method: options.method ?? "GET",
          headers: { ...authorization, ...options.headers },
        },
        (response) => {
          let body = "";
          response.on("data", (chunk) => (body += chunk));
          response.on("end", () => {
            const { reason, message } = parsed(body);
            const { statusCode: code = 0, headers } = response;
            resolve({ code, reason, message, body, headers });
          });
        },
      );
      // A kept connection may be closed in the moment in which it is used again (Node.js, http, request.reusedSocket).
      request.on("error", (error) =>
        request.reusedSocket && systemErrorCode(error) === "ECONNRESET"
          ? ask(path, identity, options).then(resolve, reject)
          : reject(error),
      );
      request.end(options.body);
    });
  return { port, authority, admin, ask };
}

function parsed(body: string): { reason?: string; message?: string } {
  try {
    return JSON.parse(body) as { reason?: string; message?: string };
  } catch {
    return {};
  }
}
