import type { FastifyInstance, FastifyRequest } from "fastify";
import type { User } from "../access/user.ts";

const decorator = "peapodUser";

/** Makes every request of the app know who makes it, once `admit` has let it in. */
export function knowUsers(app: FastifyInstance, admit: (request: FastifyRequest["raw"]) => User): void {
  app.decorateRequest(decorator);
  // Before the body is read: nobody unknown can make the node work.
  app.addHook("onRequest", async (request) => request.setDecorator<User>(decorator, admit(request.raw)));
}

/** Who makes the request. */
export function userOf(request: FastifyRequest): User {
  return request.getDecorator<User>(decorator);
}
