import type { Clock } from "../../base/clock.ts";
import { ifFound } from "../../base/errors.ts";
import {
  legacyClaimPrefix,
  legacyTokenIssuer,
  type TokenKey,
  tokenIssuer,
  verifiedClaims,
} from "../../kube/service-account-token.ts";
import type { Store } from "../../store/types.ts";
import { apiAudiences, type TokenReviewer } from "./authenticate.ts";
import { serviceAccountGroups, serviceAccountName, type User } from "./user.ts";

interface Reference {
  readonly name: string;
  readonly uid: string;
}

/** What a token is bound to, whichever of the two forms it has. */
interface Claims {
  readonly namespace: string;
  readonly account: Reference;
  readonly pod?: Reference;
  readonly node?: Reference;
  readonly secret?: { readonly name: string; readonly uid?: string };
  readonly audiences: readonly string[];
  readonly id?: string;
  /** Seconds since the epoch. */
  readonly validFrom?: number;
  readonly expiresAt?: number;
}

/** What was deleted counts as there for so long, as in Kubernetes: its last requests may still be under way. */
const leewayMilliseconds = 60_000;

/**
 * Recognises tokens of service accounts: signed by the key, for one of the audiences, not expired, and everything
 * that they are bound to (account, pod, node, secret) still there and the same
 * (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens).
 */
export function serviceAccountTokens(
  store: Pick<Store, "get">,
  key: Pick<TokenKey, "publicKey">,
  clock: Pick<Clock, "now">,
): TokenReviewer {
  return (token, audiences) => {
    const claims = readClaims(verifiedClaims(token, key));
    if (claims === undefined) return undefined;
    const accepted = audiences.filter((audience) => claims.audiences.includes(audience));
    const now = clock.now();
    const { expiresAt = Number.POSITIVE_INFINITY, validFrom = 0 } = claims;
    if (accepted.length === 0 || now / 1000 >= expiresAt || now / 1000 < validFrom - 1) return undefined;
    return isBacked(store, claims, token, now) ? { user: userOf(claims), audiences: accepted } : undefined;
  };
}

function isBacked(store: Pick<Store, "get">, claims: Claims, token: string, now: number): boolean {
  const { namespace, account, pod, node, secret, id } = claims;
  const find = (resource: string, name: string, uid: string | undefined, inNamespace = namespace) => {
    const found = ifFound(() => store.get({ resource, namespace: inNamespace, name }));
    if (found === undefined || (uid !== undefined && found.metadata.uid !== uid)) return undefined;
    const { deletionTimestamp } = found.metadata;
    const isGone =
      deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < now - leewayMilliseconds;
    return isGone ? undefined : found;
  };
  if (find("serviceaccounts", account.name, account.uid) === undefined) return false;
  if (pod !== undefined && find("pods", pod.name, pod.uid) === undefined) return false;
  if (node !== undefined && node.uid !== "" && find("nodes", node.name, node.uid, "") === undefined)
    return false;
  if (secret === undefined) return true;
  const found = find("secrets", secret.name, secret.uid);
  if (found === undefined || id !== undefined) return found !== undefined;
  // A token without end lives in its Secret: taken out of there, it is revoked.
  const { token: kept } = (found.data ?? {}) as { token?: string };
  return kept === Buffer.from(token).toString("base64");
}

const extraPrefix = "authentication.kubernetes.io";

function userOf({ namespace, account, pod, node, id }: Claims): User {
  const extra = {
    ...(id === undefined ? {} : { [`${extraPrefix}/credential-id`]: [`JTI=${id}`] }),
    ...(node === undefined
      ? {}
      : { [`${extraPrefix}/node-name`]: [node.name], [`${extraPrefix}/node-uid`]: [node.uid] }),
    ...(pod === undefined
      ? {}
      : { [`${extraPrefix}/pod-name`]: [pod.name], [`${extraPrefix}/pod-uid`]: [pod.uid] }),
  };
  return {
    name: serviceAccountName(namespace, account.name),
    uid: account.uid,
    groups: serviceAccountGroups(namespace),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function readClaims(value: unknown): Claims | undefined {
  const claims = value as Record<string, unknown> | undefined;
  if (claims?.iss === legacyTokenIssuer) return readLegacyClaims(claims as Record<string, string>);
  if (claims?.iss !== tokenIssuer) return undefined;
  const bound = claims["kubernetes.io"] as {
    namespace: string;
    serviceaccount: Reference;
    pod?: Reference;
    node?: Reference;
    secret?: Reference;
  };
  return {
    namespace: bound.namespace,
    account: bound.serviceaccount,
    ...(bound.pod === undefined ? {} : { pod: bound.pod }),
    ...(bound.node === undefined ? {} : { node: bound.node }),
    ...(bound.secret === undefined ? {} : { secret: bound.secret }),
    audiences: claims.aud as string[],
    id: claims.jti as string,
    validFrom: claims.nbf as number,
    expiresAt: claims.exp as number,
  };
}

/** Tokens of a Secret have no end and the API server as their audience. */
function readLegacyClaims(claims: Readonly<Record<string, string>>): Claims {
  const claim = (name: string) => claims[`${legacyClaimPrefix}/${name}`] ?? "";
  return {
    namespace: claim("namespace"),
    account: { name: claim("service-account.name"), uid: claim("service-account.uid") },
    secret: { name: claim("secret.name") },
    audiences: apiAudiences,
  };
}
