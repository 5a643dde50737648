import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { PeapodError } from "../../base/errors.ts";
import { authenticatedGroup, socketUser, type User } from "./user.ts";

/** Recognises a bearer token; undefined when it is not one of its own or no longer valid. */
export type TokenReviewer = (token: string) => User | undefined;

/**
 * Tells who makes a request: by the Unix socket itself, by a client certificate that the node's authority signed
 * (common name and organizations: https://kubernetes.io/docs/reference/access-authn-authz/authentication/), or by a
 * bearer token. Throws Unauthorized for everybody else; nobody is anonymous.
 */
export function authenticate(request: IncomingMessage, reviewers: readonly TokenReviewer[]): User {
  const { socket } = request;
  if (!(socket instanceof TLSSocket)) return socketUser;
  const header = request.headers.authorization;
  if (header !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
    const user = token === undefined ? undefined : reviewers.map((review) => review(token)).find(Boolean);
    if (user !== undefined) return user;
    throw new PeapodError("Unauthorized", "Unauthorized");
  }
  const user = socket.authorized ? certificateUser(socket) : undefined;
  if (user === undefined) throw new PeapodError("Unauthorized", "Unauthorized");
  return user;
}

function certificateUser(socket: TLSSocket): User | undefined {
  const { subject } = socket.getPeerCertificate();
  if (typeof subject?.CN !== "string" || subject.CN === "") return undefined;
  const organizations = subject.O === undefined ? [] : [subject.O].flat();
  return { name: subject.CN, groups: [...organizations, authenticatedGroup] };
}

/** Recognises one secret token, compared in constant time. */
export function staticToken(secret: string, user: User): TokenReviewer {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(secret);
  return (token) => (timingSafeEqual(digest(token), expected) ? user : undefined);
}
