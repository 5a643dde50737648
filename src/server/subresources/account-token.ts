import type { ITokenRequest } from "kubernetes-models/authentication.k8s.io/v1/TokenRequest";
import { kubernetesTime } from "../../base/clock.ts";
import { PeapodError } from "../../base/errors.ts";
import { serviceAccountClaims } from "../../kube/service-account-token.ts";
import type { StoredPod } from "../../kube/types.ts";
import { apiAudiences } from "../access/authenticate.ts";
import { decodeConfiguration, invalidObject } from "../admission.ts";
import { checkKind } from "../http/body.ts";
import { decodeBody } from "../http/decode-body.ts";
import type { ApiAnswer, ApiRequest } from "../request.ts";
import { objectKey, type Subresource } from "../resource.ts";

const kind = { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" };
const apiVersion = `${kind.group}/${kind.version}`;

/**
 * `/token` of a service account: a token for it, for audiences and a time that the request says, and perhaps bound to
 * the life of a pod, node or secret
 * (https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/).
 */
export const accountToken: Subresource = {
  ...kind,
  verbs: ["create"],
  handlers: { create: createToken },
};

const shortestSeconds = 600;
const longestSeconds = 2 ** 32;
const defaultSeconds = 3600;

function createToken(request: ApiRequest): ApiAnswer {
  const { context, resource, namespace, name } = request;
  const asked: ApiRequest = { ...request, resource: { ...resource, ...kind } };
  const sent = checkKind(asked, decodeBody(request), apiVersion);
  const { object, warnings } = decodeConfiguration(asked, sent);
  const { spec } = object as unknown as ITokenRequest;
  const account = context.store.get(objectKey(resource, namespace, name));
  const audiences = (spec?.audiences ?? []).length === 0 ? apiAudiences : (spec?.audiences ?? []);
  const expirationSeconds = spec?.expirationSeconds ?? defaultSeconds;
  checkExpiration(expirationSeconds);

  const now = context.scope.clock.now();
  const token = context.access.tokenKey.sign(
    serviceAccountClaims({
      namespace,
      serviceAccount: { name, uid: account.metadata.uid },
      ...boundTo(request, spec?.boundObjectRef),
      audiences,
      expirationSeconds,
      now,
    }),
  );
  const answer = {
    kind: kind.kind,
    apiVersion,
    metadata: { name, namespace, creationTimestamp: kubernetesTime(now) },
    spec: { ...spec, audiences, expirationSeconds },
    status: { token, expirationTimestamp: kubernetesTime(now + expirationSeconds * 1000) },
  };
  return { object: answer, code: 201, warnings };
}

function checkExpiration(seconds: number): void {
  const value = `Invalid value: ${seconds}: may not specify a duration`;
  const problem =
    seconds < shortestSeconds
      ? `${value} less than 10 minutes`
      : seconds > longestSeconds
        ? `${value} larger than 2^32 seconds`
        : undefined;
  if (problem === undefined) return;
  const field = "spec.expirationSeconds";
  throw invalidObject(kind, "", [{ field, reason: "FieldValueInvalid", message: problem }]);
}

type BoundObject = NonNullable<NonNullable<ITokenRequest["spec"]>["boundObjectRef"]>;
type Bound = Pick<Parameters<typeof serviceAccountClaims>[0], "pod" | "node" | "secret">;

/** The object that the token is bound to, as the claims name it. NotFound, or Conflict where another has its name. */
function boundTo({ context, namespace, name }: ApiRequest, reference: BoundObject | undefined): Bound {
  if (reference === undefined) return {};
  const wanted = { name: reference.name ?? "", uid: reference.uid ?? "" };
  const find = (resource: string, inNamespace: string) => {
    const found = context.store.get({ resource, namespace: inNamespace, name: wanted.name });
    const { uid } = found.metadata;
    if (wanted.uid !== "" && wanted.uid !== uid) {
      throw new PeapodError(
        "Conflict",
        `Operation cannot be fulfilled on ${resource} ${JSON.stringify(wanted.name)}: the UID in the bound object reference (${wanted.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
        { details: { name: wanted.name, kind: resource } },
      );
    }
    return { found, identity: { name: wanted.name, uid } };
  };
  if (reference.apiVersion === "v1" && reference.kind === "Pod") {
    const { found, identity } = find("pods", namespace);
    const { spec } = found as unknown as StoredPod;
    if ((spec.serviceAccountName || "default") !== name) {
      throw new PeapodError(
        "BadRequest",
        `cannot bind token for serviceaccount ${JSON.stringify(name)} to pod running with different serviceaccount name.`,
      );
    }
    const node = spec.nodeName ?? "";
    const known = context.store.list("nodes", { matches: ({ metadata }) => metadata.name === node }).items[0];
    return {
      pod: identity,
      ...(known === undefined ? {} : { node: { name: node, uid: known.metadata.uid } }),
    };
  }
  if (reference.apiVersion === "v1" && reference.kind === "Node") return { node: find("nodes", "").identity };
  if (reference.apiVersion === "v1" && reference.kind === "Secret") {
    return { secret: find("secrets", namespace).identity };
  }
  throw new PeapodError(
    "BadRequest",
    `cannot bind token to object of type ${reference.apiVersion ?? ""}, Kind=${reference.kind ?? ""}`,
  );
}
