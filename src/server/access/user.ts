/** Who makes a request: the name and groups that RBAC knows. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  /** What else is known of him, by key: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Members may do everything (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles). */
export const mastersGroup = "system:masters";

/** Every user that proved who he is belongs to it. */
export const authenticatedGroup = "system:authenticated";

/** Every service account belongs to it, and to `system:serviceaccounts:NAMESPACE`. */
export const serviceAccountsGroup = "system:serviceaccounts";

/** Whoever can open the Unix socket: its file permissions are the proof. */
export const socketUser: User = { name: "peapod:socket", groups: [mastersGroup, authenticatedGroup] };

/** The name under which a service account acts: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens. */
export function serviceAccountName(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** The groups of every service account of a namespace. */
export function serviceAccountGroups(namespace: string): string[] {
  return [serviceAccountsGroup, `${serviceAccountsGroup}:${namespace}`, authenticatedGroup];
}
