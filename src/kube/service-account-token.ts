import { createHash, type KeyObject, randomUUID, sign, verify } from "node:crypto";

/** Who issues tokens, and the audience of those that name none: the API server, by its name in every cluster. */
export const tokenIssuer = "https://kubernetes.default.svc.cluster.local";

/** Who issues the tokens without end that Secrets hold. */
export const legacyTokenIssuer = "kubernetes/serviceaccount";
/** Their claims begin with it. */
export const legacyClaimPrefix = "kubernetes.io/serviceaccount";

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
  /** The Secret to whose life the token is bound. */
  readonly secret?: Identity;
  /** Absent: the API server. */
  readonly audiences: readonly string[] | undefined;
  readonly expirationSeconds: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The claims of a service account's token (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/). */
export function serviceAccountClaims(request: TokenRequest): object {
  const { namespace, serviceAccount, pod, node, secret, audiences, expirationSeconds } = request;
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
      ...(secret === undefined ? {} : { secret }),
      serviceaccount: serviceAccount,
    },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
  };
}

/** The claims of the token without end that a Secret holds (https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets). */
export function secretTokenClaims(namespace: string, secret: string, serviceAccount: Identity): object {
  return {
    iss: legacyTokenIssuer,
    [`${legacyClaimPrefix}/namespace`]: namespace,
    [`${legacyClaimPrefix}/secret.name`]: secret,
    [`${legacyClaimPrefix}/service-account.name`]: serviceAccount.name,
    [`${legacyClaimPrefix}/service-account.uid`]: serviceAccount.uid,
    sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
  };
}

/** Discovery of the issuer (OpenID Connect Discovery 1.0) for those who check tokens themselves, by path. */
export function issuerDocuments({ keyID, publicKey }: Pick<TokenKey, "keyID" | "publicKey">) {
  const keySet = "/openid/v1/jwks";
  return {
    "/.well-known/openid-configuration": {
      issuer: tokenIssuer,
      jwks_uri: `${tokenIssuer}${keySet}`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    },
    [keySet]: {
      keys: [{ use: "sig", alg: "ES256", kid: keyID, ...publicKey.export({ format: "jwk" }) }],
    },
  } as const;
}

/** Signs and recognises tokens: one EC key on P-256. */
export interface TokenKey {
  /** The key's name in tokens. */
  readonly keyID: string;
  readonly publicKey: KeyObject;
  /** A signed JSON Web Token (RFC 7519, ES256) with these claims. */
  sign(claims: object): string;
}

/** The key as what signs. `privateKey` must be on P-256. */
export function tokenKey(privateKey: KeyObject, publicKey: KeyObject): TokenKey {
  const keyID = keyIDOf(publicKey);
  return { keyID, publicKey, sign: (claims) => signToken(claims, privateKey, keyID) };
}

/**
 * The claims of a token that the key has signed; undefined for everything else. What they say (expiry, audience,
 * who is still there) is for the caller to judge.
 */
export function verifiedClaims(token: string, { publicKey }: Pick<TokenKey, "publicKey">): unknown {
  const [header, claims, signature, ...more] = token.split(".");
  if (header === undefined || claims === undefined || signature === undefined || more.length > 0) return;
  try {
    // The algorithm is the key's, whatever the token says; one that says another is somebody's trick.
    if ((decodePart(header) as { alg?: unknown }).alg !== "ES256") return;
    const text = Buffer.from(`${header}.${claims}`);
    const key = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
    if (!verify("sha256", text, key, Buffer.from(signature, "base64url"))) return;
    return decodePart(claims);
  } catch {
    return;
  }
}

function decodePart(part: string): unknown {
  return JSON.parse(Buffer.from(part, "base64url").toString());
}

function signToken(claims: object, privateKey: KeyObject, keyID: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "ES256", kid: keyID })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

/** A key's name in tokens: the hash of its public half. */
function keyIDOf(publicKey: KeyObject): string {
  const encoded = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(encoded).digest("base64url");
}
