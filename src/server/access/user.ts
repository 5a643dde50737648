/** Who makes a request: the name and groups that RBAC knows. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Members may do everything (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles). */
export const mastersGroup = "system:masters";

/** Every user that proved who he is belongs to it. */
export const authenticatedGroup = "system:authenticated";

/** Whoever can open the Unix socket: its file permissions are the proof. */
export const socketUser: User = { name: "peapod:socket", groups: [mastersGroup, authenticatedGroup] };
