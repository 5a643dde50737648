import { isDeepStrictEqual } from "node:util";
import type { IConfigMap } from "kubernetes-models/v1/ConfigMap";
import type { ISecret } from "kubernetes-models/v1/Secret";
import type { IServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import type { KubernetesObject } from "../../kube/types.ts";
import { invalidObject } from "../admission.ts";
import { keepRootAuthority, restoreNamespaceDefault } from "../namespace-defaults.ts";
import type { Resource } from "../resource.ts";
import { accountToken } from "../subresources/account-token.ts";
import { ageColumn, countColumn, nameColumn, textColumn } from "../table/columns.ts";
import { deleteTokenSecrets, fillTokenSecret, fillTokenSecrets } from "../token-secrets.ts";
import { stored } from "./stored.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/config-map-v1/ */
export const configMaps: Resource = stored({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  checkUpdate: (next, current) => {
    refuseImmutable("ConfigMap", ["data", "binaryData"])(next, current);
    keepRootAuthority(next, current);
  },
  afterDelete: restoreNamespaceDefault,
  columns: [
    nameColumn,
    countColumn<IConfigMap>(
      "Data",
      "Number of keys.",
      ({ data, binaryData }) => size(data) + size(binaryData),
    ),
    ageColumn,
  ],
});

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/ */
export const secrets: Resource = stored({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  prepareForCreate: fillTokenSecret,
  checkUpdate: refuseImmutable("Secret", ["data"]),
  selectableFields: { type: (object) => (object as unknown as ISecret).type ?? "" },
  columns: [
    nameColumn,
    textColumn<ISecret>("Type", "What the secret is for.", ({ type }) => type ?? ""),
    countColumn<ISecret>("Data", "Number of keys.", ({ data }) => size(data)),
    ageColumn,
  ],
});

/** https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/service-account-v1/ */
export const serviceAccounts: Resource = stored({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  subresources: { token: accountToken },
  deleteReturnsObject: true,
  afterCreate: ({ metadata }, context) => fillTokenSecrets(context, metadata.namespace ?? ""),
  afterDelete: (account, context) => {
    deleteTokenSecrets(account, context);
    restoreNamespaceDefault(account, context);
  },
  columns: [
    nameColumn,
    countColumn<IServiceAccount>("Secrets", "Number of secrets.", ({ secrets: named }) => named?.length ?? 0),
    ageColumn,
  ],
});

/** What `immutable: true` means: it stays, and so do the values (https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable). */
function refuseImmutable(kind: string, fields: readonly string[]) {
  return (next: KubernetesObject, current: KubernetesObject): void => {
    if (current.immutable !== true) return;
    const changed = [
      ...(next.immutable === true ? [] : ["immutable"]),
      ...fields.filter((field) => !isDeepStrictEqual(next[field], current[field])),
    ];
    if (changed.length === 0) return;
    const problems = changed.map((field) => ({
      field,
      reason: "FieldValueForbidden",
      message: "Forbidden: field is immutable when `immutable` is set",
    }));
    throw invalidObject({ kind, group: "" }, current.metadata.name, problems);
  };
}

function size(map: object | undefined): number {
  return Object.keys(map ?? {}).length;
}
