import type { IncomingMessage } from "node:http";
import { type FastifyInstance, fastify } from "fastify";
import { errorCode, explain, PeapodError } from "../../base/errors.ts";
import { issuerDocuments } from "../../kube/service-account-token.ts";
import type { User } from "../access/user.ts";
import { aggregatedDiscovery, aggregatedType, wantsAggregated } from "../aggregated-discovery.ts";
import { discoveryDocuments, versionInfo, versionOf } from "../discovery.ts";
import { channelMetrics } from "../metrics/channel-metrics.ts";
import { formatMetrics, metricsType } from "../metrics/prometheus.ts";
import { addOpenAPIRoutes } from "../openapi/routes.ts";
import { addProxyRoutes } from "../proxy/routes.ts";
import type { ApiContext } from "../request.ts";
import { failureStatus } from "../status.ts";
import { compress } from "./compress.ts";
import { knowUsers } from "./request-user.ts";
import { addResourceRoutes } from "./routes.ts";

/** The API server's own limit of a request's body. */
const bodyLimit = 3 * 1024 * 1024;
/** Names are up to 253 characters; a little more, so that a longer one gets a good answer. */
const longestParameter = 500;

/** What `GET /` lists beside the discovery documents. */
const otherPaths = ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"];

/** The HTTP side of the API: routes, discovery, health, and a Status for every failure. Opens no socket. */
export function createApp(
  context: ApiContext,
  options: {
    version: string;
    ready: () => boolean;
    /** Who makes the request. Throws Unauthorized or Forbidden for one that may not be made. */
    admit: (request: IncomingMessage) => User;
  },
): FastifyInstance {
  const app = fastify({
    bodyLimit,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: longestParameter, ignoreTrailingSlash: true },
  });
  // Verbs decode bodies themselves: what a body may be depends on the verb.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => {
    const failure = asPeapodError(error);
    if (errorCode(failure) === "InternalError" || errorCode(failure) === undefined) {
      const stack = error instanceof Error ? error.stack : undefined;
      context.scope.log.error({ url: request.url, error: explain(error), stack }, "request failed");
    }
    const status = failureStatus(failure);
    const { retryAfterSeconds } = status.details ?? {};
    if (retryAfterSeconds !== undefined) reply.header("retry-after", retryAfterSeconds);
    return reply.code(status.code).header("content-type", "application/json").send(JSON.stringify(status));
  });
  app.setNotFoundHandler(() => {
    throw new PeapodError("NotFound", "the server could not find the requested resource");
  });
  knowUsers(app, options.admit);
  app.addHook("onSend", compress);
  app.addHook("onResponse", async (request, reply) => {
    const { method, url } = request;
    context.scope.log.debug(
      { method, url, status: reply.statusCode, milliseconds: reply.elapsedTime },
      "request",
    );
  });

  app.get("/version", async () => versionInfo(options.version));
  for (const path of ["/healthz", "/livez"]) {
    app.get(path, async (request) =>
      isVerbose(request.url) ? `[+]ping ok\n${path.slice(1)} check passed\n` : "ok",
    );
  }
  app.get("/readyz", async (request) => {
    if (options.ready())
      return isVerbose(request.url) ? "[+]ping ok\n[+]node ok\nreadyz check passed\n" : "ok";
    throw new PeapodError("ServiceUnavailable", "the node is still starting, or already stopping");
  });
  app.get("/metrics", async (_request, reply) => {
    // A scrape every now and then must not keep the observer busy in between.
    const { channels, missing } = await context.channels.list(context.scope, { passing: true });
    return reply.type(metricsType).send(formatMetrics(channelMetrics(channels, missing)));
  });
  const aggregated = aggregatedDiscovery(context.resources);
  const documents = discoveryDocuments(context.resources);
  for (const [path, document] of documents) {
    app.get(path, async (request, reply) => {
      const whole = wantsAggregated(request.headers.accept) ? aggregated.get(path) : undefined;
      return whole === undefined ? document : reply.type(aggregatedType).send(JSON.stringify(whole));
    });
  }
  for (const [path, document] of Object.entries(issuerDocuments(context.access.tokenKey))) {
    const type = path.endsWith("jwks") ? "application/jwk-set+json" : "application/json";
    app.get(path, async (_request, reply) => reply.type(type).send(JSON.stringify(document)));
  }
  addOpenAPIRoutes(app, context.resources, versionOf(options.version));
  const paths = [...documents.keys(), ...otherPaths].sort();
  app.get("/", async () => ({ paths }));
  addResourceRoutes(app, context);
  addProxyRoutes(app, context);
  return app;
}

function isVerbose(url: string): boolean {
  return /[?&]verbose\b/.test(url);
}

/** Fastify's own refusals in Kubernetes' words; everything else as it is. */
function asPeapodError(error: unknown): unknown {
  if (error instanceof PeapodError || !(error instanceof Error) || !("statusCode" in error)) return error;
  if (error.statusCode === 413) {
    return new PeapodError("RequestEntityTooLarge", `Request entity too large: limit is ${bodyLimit}`);
  }
  const isClientError = typeof error.statusCode === "number" && error.statusCode < 500;
  return isClientError ? new PeapodError("BadRequest", error.message, { cause: error }) : error;
}
