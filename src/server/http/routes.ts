import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { withSignal } from "../../base/scope.ts";
import { methodNotAllowed } from "../admission.ts";
import { basePath } from "../discovery.ts";
import { type ApiContext, type ApiRequest, flag } from "../request.ts";
import { type Resource, resourceName, type Verb, type VerbHandler } from "../resource.ts";
import { create } from "../verbs/create.ts";
import { deleteOne } from "../verbs/delete.ts";
import { deleteCollection } from "../verbs/delete-collection.ts";
import { get } from "../verbs/get.ts";
import { list } from "../verbs/list.ts";
import { patch } from "../verbs/patch.ts";
import { update } from "../verbs/update.ts";
import { watch } from "../verbs/watch.ts";
import { viewStore } from "../view-store.ts";
import { negotiate, plainObjects } from "./accept.ts";
import { sendAnswer } from "./answer.ts";
import { userOf } from "./request-user.ts";

const genericHandlers: Readonly<Record<Verb, VerbHandler>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: deleteOne,
  deletecollection: deleteCollection,
};

/** Subresources that answer with text or take the connection over, whatever the client says it accepts. */
const asText = ["log", "exec", "attach", "portforward"];

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** The paths of every resource: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris. */
export function addResourceRoutes(app: FastifyInstance, context: ApiContext): void {
  for (const resource of context.resources) {
    const { plural, namespaced, subresources } = resource;
    const base = basePath(resource);
    const collection = namespaced ? `${base}/namespaces/:namespace/${plural}` : `${base}/${plural}`;
    const route = (
      path: string,
      select: (request: FastifyRequest) => VerbHandler | undefined,
      asObjects = false,
    ) =>
      app.route({
        method: methods,
        url: path,
        handler: async (request, reply) => {
          const handler = select(request);
          if (handler === undefined) throw methodNotAllowed();
          const apiRequest = takeApart(context, resource, request, reply, asObjects);
          return sendAnswer(apiRequest, await handler(apiRequest), reply);
        },
      });

    if (namespaced) route(`${base}/${plural}`, (request) => handlerOf(resource, allNamespacesVerb(request)));
    route(collection, (request) => handlerOf(resource, collectionVerb(request)));
    route(`${collection}/:name`, (request) => handlerOf(resource, itemVerb(request)));
    for (const [name, { handlers }] of Object.entries(subresources)) {
      // Answered elsewhere, for paths of any depth: src/server/proxy.
      if (name === "proxy") continue;
      const select = (request: FastifyRequest) => {
        const verb = request.method === "POST" ? "create" : itemVerb(request);
        return verb === undefined ? undefined : handlers[verb];
      };
      route(`${collection}/:name/${name}`, select, asText.includes(name));
    }
  }
}

function handlerOf(resource: Resource, verb: Verb | undefined): VerbHandler | undefined {
  if (verb === undefined || !resource.verbs.includes(verb)) return undefined;
  return resource.handlers?.[verb] ?? genericHandlers[verb];
}

function itemVerb({ method }: FastifyRequest): Verb | undefined {
  const verbs: Readonly<Record<string, Verb>> = {
    GET: "get",
    PUT: "update",
    PATCH: "patch",
    DELETE: "delete",
  };
  return verbs[method];
}

function collectionVerb(request: FastifyRequest): Verb | undefined {
  const verbs: Readonly<Record<string, Verb>> = { POST: "create", DELETE: "deletecollection" };
  return request.method === "GET" ? allNamespacesVerb(request) : verbs[request.method];
}

function allNamespacesVerb(request: FastifyRequest): Verb | undefined {
  if (request.method !== "GET") return undefined;
  return flag(queryOf(request), "watch") ? "watch" : "list";
}

function takeApart(
  context: ApiContext,
  resource: Resource,
  request: FastifyRequest,
  reply: FastifyReply,
  asObjects: boolean,
): ApiRequest {
  const { namespace = "", name = "" } = request.params as { namespace?: string; name?: string };
  const query = queryOf(request);
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort(new Error("the client went away")));
  return {
    context:
      resource.view === undefined
        ? context
        : { ...context, store: viewStore(context.store, resourceName(resource), resource.view) },
    resource,
    user: userOf(request),
    namespace,
    name,
    query,
    contentType: request.headers["content-type"] ?? "",
    userAgent: request.headers["user-agent"] ?? "",
    body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
    representation: asObjects ? plainObjects : negotiate(request.headers.accept, query.get("includeObject")),
    scope: withSignal(context.scope, gone.signal),
  };
}

/** The query with repeated parameters kept (`command=a&command=b`). */
function queryOf(request: FastifyRequest): URLSearchParams {
  const start = request.url.indexOf("?");
  return new URLSearchParams(start < 0 ? "" : request.url.slice(start + 1));
}
