import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../request.ts";
import type { Backend } from "./backend.ts";
import { ask, sendBack } from "./forward.ts";
import { podBackend } from "./pod-backend.ts";
import { serviceBackend } from "./service-backend.ts";

/** The kinds that can be reached through the API, and how each finds where a request goes. */
const backends: Readonly<Record<string, (context: ApiContext, namespace: string, name: string) => Backend>> =
  { pods: podBackend, services: serviceBackend };

const proxyPath = /^(\/api\/v1\/namespaces\/([^/]+)\/(pods|services)\/([^/]+)\/proxy)(\/[^?#]*)?(\?[^#]*)?/;

/** A request to a `/proxy` subresource, understood. */
export interface ProxyRequest {
  readonly backend: Backend;
  /** What the backend is asked for: path and query. */
  readonly path: string;
  /** What stands before it in the API. */
  readonly prefix: string;
}

/**
 * Reads a URL below a `/proxy` subresource; undefined for any other. Taken apart as access control does, with nothing
 * resolved or decoded first. Throws what finding the backend throws.
 */
export function proxyRequest(context: ApiContext, url: string): ProxyRequest | undefined {
  const [, prefix = "", namespace = "", kind = "", name = "", path = "/", query = ""] =
    proxyPath.exec(url) ?? [];
  const find = backends[kind];
  if (find === undefined) return undefined;
  const backend = find(context, decodeURIComponent(namespace), decodeURIComponent(name));
  return { backend, path: path + query, prefix };
}

/**
 * `/proxy` of pods and services, for every method
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/, connect requests). Bodies pass through unread.
 */
export function addProxyRoutes(app: FastifyInstance, context: ApiContext): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _body, done) => done(null));
    for (const kind of Object.keys(backends)) {
      const base = `/api/v1/namespaces/:namespace/${kind}/:name/proxy`;
      for (const url of [base, `${base}/*`]) {
        scope.all(url, async (request, reply) => {
          const target = proxyRequest(context, request.url);
          // Relative links of what answers are meant below `/proxy/`.
          const isBare = /\/proxy(\?|$)/.test(request.url);
          if (isBare && request.method === "GET") {
            return reply.redirect(request.url.replace(/\/proxy(?=\?|$)/, "/proxy/"), 301);
          }
          if (target === undefined) return reply.callNotFound();
          const answer = await ask(target.backend, target.path, request.raw, reply.raw);
          reply.hijack();
          await sendBack(answer, target, reply.raw);
          return reply;
        });
      }
    }
  });
}
