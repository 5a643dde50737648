import type { FastifyInstance } from "fastify";
import type { Resource } from "../resource.ts";
import { OpenAPIDocuments } from "./documents.ts";
import { encodeVersion2, version2Protobuf } from "./version2-protobuf.ts";

/** `/openapi/v3`, its documents, and `/openapi/v2` as JSON or protobuf. */
export function addOpenAPIRoutes(
  app: FastifyInstance,
  resources: readonly Resource[],
  version: string,
): void {
  const documents = new OpenAPIDocuments(resources, version);
  app.get("/openapi/v3", async () => documents.index());
  app.get("/openapi/v3/*", async (request, reply) => {
    const path = (request.params as { "*": string })["*"];
    return reply.type("application/json").send(await documents.group(path));
  });
  app.get("/openapi/v2", async (request, reply) => {
    const document = await documents.all();
    const wantsProtobuf = /\+protobuf|\.protobuf/.test(request.headers.accept ?? "");
    return wantsProtobuf
      ? reply.type(version2Protobuf).send(encodeVersion2(document))
      : reply.type("application/json").send(JSON.stringify(document));
  });
}
