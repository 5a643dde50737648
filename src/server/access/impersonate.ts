import type { IncomingMessage } from "node:http";
import { PeapodError } from "../../base/errors.ts";
import type { Store } from "../../store/types.ts";
import { authorize } from "./authorize.ts";
import { authenticatedGroup, serviceAccountGroups, type User } from "./user.ts";

const prefix = "impersonate-";
const extraPrefix = "impersonate-extra-";

/**
 * As whom the request wants to be judged: the user himself, or who its `Impersonate-` headers name where he may act as
 * that user and each of the groups
 * (https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/). Forbidden where he may not.
 */
export function actingUser(user: User, request: IncomingMessage, store: Pick<Store, "list">): User {
  const headers = request.headersDistinct;
  if (!Object.keys(headers).some((name) => name.startsWith(prefix))) return user;
  const [name = ""] = headers["impersonate-user"] ?? [];
  if (name === "") {
    throw new PeapodError("BadRequest", "requested groups, uid or extra without impersonating a user");
  }
  const ask = (group: string, resource: string, wanted: string, namespace = "") =>
    authorize(
      user,
      { kind: "resource", verb: "impersonate", group, resource, namespace, name: wanted },
      store,
    );

  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  if (account === null) ask("", "users", name);
  else ask("", "serviceaccounts", account[2] ?? "", account[1]);
  const asked = headers["impersonate-group"] ?? [];
  for (const group of asked) ask("", "groups", group);
  const [uid] = headers["impersonate-uid"] ?? [];
  if (uid !== undefined) ask("authentication.k8s.io", "uids", uid);
  const extra = Object.fromEntries(
    Object.entries(headers)
      .filter(([header]) => header.startsWith(extraPrefix))
      .map(([header, values = []]) => [decode(header.slice(extraPrefix.length)), values] as const),
  );
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) ask("authentication.k8s.io", `userextras/${key}`, value);
  }
  const implied = account !== null && asked.length === 0 ? serviceAccountGroups(account[1] ?? "") : asked;
  return {
    name,
    groups: [...new Set([...implied, authenticatedGroup])],
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function decode(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
