import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { PeapodError } from "../../base/errors.ts";
import { tokenIssuer } from "../../kube/service-account-token.ts";
import { authenticatedGroup, socketUser, type User } from "./user.ts";

/** The API server's own audience: a token for others is none for it. */
export const apiAudiences: readonly string[] = [tokenIssuer];

/** Whose token it is, and for which of the audiences that were asked about. */
export interface ReviewedToken {
  readonly user: User;
  readonly audiences: readonly string[];
}

/** Recognises a bearer token; undefined when it is not one of its own, no longer valid or for none of the audiences. */
export type TokenReviewer = (token: string, audiences: readonly string[]) => ReviewedToken | undefined;

/**
 * Tells who makes a request: by the Unix socket itself, by a client certificate that the node's authority signed
 * (common name and organizations: https://kubernetes.io/docs/reference/access-authn-authz/authentication/), or by a
 * bearer token. Throws Unauthorized for everybody else; nobody is anonymous.
 */
export function authenticate(request: IncomingMessage, review: TokenReviewer): User {
  const { socket } = request;
  if (!(socket instanceof TLSSocket)) return socketUser;
  const header = request.headers.authorization;
  if (header !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
    const reviewed = token === undefined ? undefined : review(token, apiAudiences);
    if (reviewed !== undefined) return reviewed.user;
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

/** Recognises what the first of the reviewers recognises. */
export function anyOf(reviewers: readonly TokenReviewer[]): TokenReviewer {
  return (token, audiences) => {
    for (const review of reviewers) {
      const reviewed = review(token, audiences);
      if (reviewed !== undefined) return reviewed;
    }
    return undefined;
  };
}

/** Recognises one secret token of the API server's audience, compared in constant time. */
export function staticToken(secret: string, user: User): TokenReviewer {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(secret);
  return (token, audiences) => {
    const accepted = audiences.filter((audience) => apiAudiences.includes(audience));
    if (accepted.length === 0 || !timingSafeEqual(digest(token), expected)) return undefined;
    return { user, audiences: accepted };
  };
}
