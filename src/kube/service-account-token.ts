import { createHash, type KeyObject, randomUUID, sign } from "node:crypto";

/** Who issues tokens, and the audience of those that name none: the API server, by its name in every cluster. */
const tokenIssuer = "https://kubernetes.default.svc.cluster.local";

interface Identity {
  readonly name: string;
  readonly uid: string;
}

/** What a token says. */
export interface TokenRequest {
  readonly namespace: string;
  readonly serviceAccount: Identity;
  /** The pod to whose life the token is bound, and its node. */
  readonly pod?: Identity;
  readonly node?: Identity;
  /** Absent: the API server. */
  readonly audiences: readonly string[] | undefined;
  readonly expirationSeconds: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The claims of a service account's token (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/). */
export function serviceAccountClaims(request: TokenRequest): object {
  const { namespace, serviceAccount, pod, node, audiences, expirationSeconds } = request;
  const now = Math.floor(request.now / 1000);
  return {
    aud: audiences ?? [tokenIssuer],
    exp: now + expirationSeconds,
    iat: now,
    iss: tokenIssuer,
    jti: randomUUID(),
    "kubernetes.io": {
      namespace,
      ...(node === undefined ? {} : { node }),
      ...(pod === undefined ? {} : { pod }),
      serviceaccount: serviceAccount,
    },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
  };
}

/** A signed JSON Web Token (RFC 7519) by an EC key on P-256 (ES256). */
export function signToken(claims: object, privateKey: KeyObject, keyID: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "ES256", kid: keyID })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

/** A key's name in tokens: the hash of its public half. */
export function keyIDOf(publicKey: KeyObject): string {
  const encoded = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(encoded).digest("base64url");
}
