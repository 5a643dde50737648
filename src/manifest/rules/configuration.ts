import type { IConfigMap } from "kubernetes-models/v1/ConfigMap";
import type { ISecret } from "kubernetes-models/v1/Secret";
import { itemPath } from "../../kube/field-path.ts";
import { configKeyProblems } from "../../kube/names.ts";
import { duplicate, invalid, type Problem, required, tooLong } from "../problems.ts";
import { kindRules } from "./rules.ts";

const sizeLimit = 1024 * 1024;

/** https://kubernetes.io/docs/concepts/configuration/configmap/ */
export const configMapRules = kindRules<IConfigMap>({
  validate: ({ data = {}, binaryData = {} }) => {
    const problems = [
      ...Object.keys(data).flatMap((key) => keyProblems("data", key)),
      ...Object.keys(binaryData).flatMap((key) => keyProblems("binaryData", key)),
      ...base64Problems("binaryData", binaryData),
    ];
    for (const key of Object.keys(data)) {
      if (Object.hasOwn(binaryData, key)) problems.push(duplicate(itemPath("data", key), key));
    }
    const size = [...Object.values(data), ...Object.values(binaryData)].reduce(
      (sum, value) => sum + Buffer.byteLength(value),
      0,
    );
    return size > sizeLimit ? [...problems, tooLong("", sizeLimit)] : problems;
  },
});

/** The keys that a Secret of a built-in type must have: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};
const serviceAccountTokenType = "kubernetes.io/service-account-token";
const serviceAccountAnnotation = "kubernetes.io/service-account.name";

/** https://kubernetes.io/docs/concepts/configuration/secret/ */
export const secretRules = kindRules<ISecret>({
  immutable: ["type"],
  setDefaults: (secret) => {
    secret.type ??= "Opaque";
    // `stringData` is only written, never read: its values go over `data`'s.
    for (const [key, value] of Object.entries(secret.stringData ?? {})) {
      secret.data = { ...secret.data, [key]: Buffer.from(value).toString("base64") };
    }
    delete secret.stringData;
  },
  validate: ({ metadata, type = "Opaque", data = {} }) => {
    const problems = [
      ...Object.keys(data).flatMap((key) => keyProblems("data", key)),
      ...base64Problems("data", data),
    ];
    const missing = (requiredKeys[type] ?? []).filter((key) => data[key] === undefined);
    problems.push(...missing.map((key) => required(itemPath("data", key))));
    if (type === serviceAccountTokenType && !metadata?.annotations?.[serviceAccountAnnotation]) {
      problems.push(required(itemPath("metadata.annotations", serviceAccountAnnotation)));
    }
    const size = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value, "base64"), 0);
    return size > sizeLimit ? [...problems, tooLong("data", sizeLimit)] : problems;
  },
});

function keyProblems(field: string, key: string): Problem[] {
  return configKeyProblems(key).map((text) => invalid(itemPath(field, key), key, text));
}

function base64Problems(field: string, data: Readonly<Record<string, string>>): Problem[] {
  const form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  return Object.entries(data)
    .filter(([, value]) => !form.test(value.replaceAll(/[\r\n]/g, "")))
    .map(([key]) => ({
      ...invalid(itemPath(field, key), "", "illegal base64 data"),
      reason: "FieldValueTypeInvalid",
    }));
}
