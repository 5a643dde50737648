import type { ITokenReview } from "kubernetes-models/authentication.k8s.io/v1/TokenReview";
import type { IResourceAttributes } from "kubernetes-models/authorization.k8s.io/v1/ResourceAttributes";
import type { ISubjectAccessReview } from "kubernetes-models/authorization.k8s.io/v1/SubjectAccessReview";
import { PeapodError } from "../../base/errors.ts";
import type { Attributes } from "../access/attributes.ts";
import { apiAudiences } from "../access/authenticate.ts";
import { isAllowed } from "../access/authorize.ts";
import { rulesOf } from "../access/policy-rules.ts";
import type { User } from "../access/user.ts";
import { decodeConfiguration, invalidObject } from "../admission.ts";
import { checkKind } from "../http/body.ts";
import { decodeBody } from "../http/decode-body.ts";
import type { ApiRequest } from "../request.ts";
import { apiVersionOf, type Resource } from "../resource.ts";

const authentication = "authentication.k8s.io";
const authorization = "authorization.k8s.io";

/** What is asked of the API by creating it; the answer is its status, and nothing is stored. */
function review(
  group: string,
  kind: string,
  answer: (object: Record<string, unknown>, request: ApiRequest) => object,
  namespaced = false,
): Resource {
  return {
    group,
    version: "v1",
    kind,
    plural: `${kind.toLowerCase()}s`,
    singular: kind.toLowerCase(),
    shortNames: [],
    namespaced,
    verbs: ["create"],
    subresources: {},
    columns: [],
    selectableFields: {},
    handlers: {
      create: (request) => {
        if (request.representation.as !== "Object") {
          throw new PeapodError(
            "NotAcceptable",
            "the server was unable to respond with a content type that the client supports",
          );
        }
        const sent = checkKind(request, decodeBody(request), apiVersionOf(request.resource));
        const { object, warnings } = decodeConfiguration(request, sent);
        return { object: { ...object, status: answer(object, request) }, code: 201, warnings };
      },
    },
  };
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access */
export const reviews: readonly Resource[] = [
  review(authentication, "TokenReview", reviewToken),
  review(authentication, "SelfSubjectReview", (_object, { user }) => ({ userInfo: userInfo(user) })),
  review(authorization, "SelfSubjectAccessReview", (object, request) =>
    access(object, request, request.user),
  ),
  review(authorization, "SubjectAccessReview", subjectAccess),
  review(authorization, "LocalSubjectAccessReview", localSubjectAccess, true),
  review(authorization, "SelfSubjectRulesReview", rules),
];

function userInfo({ name, uid, groups, extra }: User): object {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(extra === undefined ? {} : { extra }),
  };
}

function reviewToken(object: object, { context }: ApiRequest): object {
  const { spec } = object as ITokenReview;
  const audiences = (spec?.audiences ?? []).length === 0 ? apiAudiences : (spec?.audiences ?? []);
  const reviewed = context.access.reviewToken(spec?.token ?? "", audiences);
  if (reviewed === undefined) return { user: {}, error: "the token is not valid" };
  return { authenticated: true, user: userInfo(reviewed.user), audiences: reviewed.audiences };
}

type AccessSpec = NonNullable<ISubjectAccessReview["spec"]>;

function subjectAccess(object: Record<string, unknown>, request: ApiRequest): object {
  const spec = (object.spec ?? {}) as AccessSpec;
  if (!spec.user && (spec.groups ?? []).length === 0) {
    const message = "at least one of user or group must be specified";
    throw invalid(request, "spec.user", `Invalid value: "": ${message}`);
  }
  const user = { name: spec.user ?? "", groups: spec.groups ?? [] };
  return access(object, request, user);
}

function localSubjectAccess(object: Record<string, unknown>, request: ApiRequest): object {
  const field = "spec.resourceAttributes.namespace";
  const asked = ((object.spec ?? {}) as AccessSpec).resourceAttributes?.namespace ?? "";
  if (asked !== request.namespace) {
    const message = `must match metadata.namespace`;
    throw invalid(request, field, `Invalid value: ${JSON.stringify(asked)}: ${message}`);
  }
  return subjectAccess(object, request);
}

function access(object: Record<string, unknown>, request: ApiRequest, user: User): object {
  const { resourceAttributes, nonResourceAttributes } = (object.spec ?? {}) as AccessSpec;
  if ((resourceAttributes === undefined) === (nonResourceAttributes === undefined)) {
    const message = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    throw invalid(request, "spec.resourceAttributes", `Invalid value: null: ${message}`);
  }
  const attributes: Attributes =
    resourceAttributes === undefined
      ? {
          kind: "path",
          verb: nonResourceAttributes?.verb ?? "",
          path: nonResourceAttributes?.path ?? "",
        }
      : attributesOf(resourceAttributes);
  return { allowed: isAllowed(user, attributes, request.context.store) };
}

function attributesOf(asked: IResourceAttributes): Attributes {
  const { verb = "", group = "", resource = "", subresource = "", namespace = "", name = "" } = asked;
  const path = subresource === "" ? resource : `${resource}/${subresource}`;
  return { kind: "resource", verb, group, resource: path, namespace, name };
}

function rules(object: Record<string, unknown>, { context, user }: ApiRequest): object {
  const { namespace = "" } = (object.spec ?? {}) as { namespace?: string };
  const all = [...rulesOf(user, namespace, context.store)];
  return {
    resourceRules: all
      .filter((rule) => rule.nonResourceURLs === undefined)
      .map(({ verbs = [], apiGroups = [], resources = [], resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames === undefined ? {} : { resourceNames }),
      })),
    nonResourceRules: all
      .filter((rule) => rule.nonResourceURLs !== undefined)
      .map(({ verbs = [], nonResourceURLs = [] }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  };
}

function invalid({ resource }: ApiRequest, field: string, message: string) {
  return invalidObject(resource, "", [{ field, reason: "FieldValueInvalid", message }]);
}
