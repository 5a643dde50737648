import { ifFound } from "../base/errors.ts";
import { secretTokenClaims } from "../kube/service-account-token.ts";
import type { KubernetesObject, Secret } from "../kube/types.ts";
import type { ApiContext } from "./request.ts";

const accountAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";

type Context = Pick<ApiContext, "store" | "access">;

/**
 * Fills in a Secret of type `kubernetes.io/service-account-token`: a token without end of the account that its
 * annotation names, its namespace and the API server's authority
 * (https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets). One whose account is not
 * there yet waits for it; any other Secret stays as it is.
 */
export function fillTokenSecret(object: KubernetesObject, { store, access }: Context): void {
  const { type, data, metadata } = object as unknown as Secret & KubernetesObject;
  const { name, namespace = "", annotations } = metadata;
  const account = annotations?.[accountAnnotation];
  if (type !== "kubernetes.io/service-account-token" || account === undefined || data?.token) return;
  const uid = uidOf(store, namespace, account);
  if (uid === undefined) return;
  const token = access.tokenKey.sign(secretTokenClaims(namespace, name, { name: account, uid }));
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  metadata.annotations = { ...annotations, [uidAnnotation]: uid };
  object.data = {
    ...data,
    "ca.crt": base64(access.authority),
    namespace: base64(namespace),
    token: base64(token),
  };
}

/** Fills in the Secrets of a namespace that wait for their account. */
export function fillTokenSecrets(context: Context, namespace: string): void {
  for (const { metadata, type, data } of context.store.list("secrets", { namespace }).items) {
    if (type !== "kubernetes.io/service-account-token" || (data as Secret["data"])?.token) continue;
    context.store.update({ resource: "secrets", namespace, name: metadata.name }, (current) => {
      fillTokenSecret(current, context);
      return current;
    });
  }
}

/** Deletes the Secrets with tokens of an account that is gone. */
export function deleteTokenSecrets({ metadata }: KubernetesObject, { store }: Pick<Context, "store">): void {
  const { namespace = "", uid } = metadata;
  for (const secret of store.list("secrets", { namespace }).items) {
    if (secret.metadata.annotations?.[uidAnnotation] !== uid) continue;
    ifFound(() => store.delete({ resource: "secrets", namespace, name: secret.metadata.name }));
  }
}

function uidOf(store: Context["store"], namespace: string, name: string): string | undefined {
  return ifFound(() => store.get({ resource: "serviceaccounts", namespace, name }))?.metadata.uid;
}
