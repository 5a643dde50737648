/** A kind of API object, as URLs and messages name it. */
export interface ResourceType {
  /** `v1`, or `GROUP/VERSION`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** In URLs and the server's messages. */
  readonly plural: string;
  /** In kubectl's messages: `pod/x created`. */
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
}

export const pods: ResourceType = core("Pod", "pods", ["po"], true);
export const events: ResourceType = core("Event", "events", ["ev"], true);
export const nodes: ResourceType = core("Node", "nodes", ["no"], false);
export const namespaces: ResourceType = core("Namespace", "namespaces", ["ns"], false);
export const channels: ResourceType = own("Channel", "channels", ["ch"], true);
export const diagnoses: ResourceType = {
  ...own("Diagnosis", "diagnoses", [], true),
  singular: "diagnosis",
};
export const images: ResourceType = own("Image", "images", [], false);

/** The types whose objects make pods: those that make others of them first. */
export const workloadTypes: readonly ResourceType[] = [
  grouped("batch/v1", "CronJob", ["cj"]),
  grouped("apps/v1", "Deployment", ["deploy"]),
  grouped("apps/v1", "StatefulSet", ["sts"]),
  grouped("apps/v1", "DaemonSet", ["ds"]),
  grouped("batch/v1", "Job", []),
  grouped("apps/v1", "ReplicaSet", ["rs"]),
  core("ReplicationController", "replicationcontrollers", ["rc"], true),
];

/** Every type that the commands know by name. */
export const resourceTypes: readonly ResourceType[] = [
  pods,
  nodes,
  events,
  namespaces,
  channels,
  ...workloadTypes,
];

/** Which objects a request means; no name means the collection. */
export interface ResourceReference {
  /** Absent for cluster-scoped types, and to mean all namespaces of a namespaced one. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** `log`, `exec`, `status` … */
  readonly subresource?: string | undefined;
}

/** The URL's path: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris. */
export function resourcePath(type: ResourceType, reference: ResourceReference): string {
  const root = type.apiVersion.includes("/") ? "/apis" : "/api";
  const namespace =
    type.namespaced && reference.namespace !== undefined ? ["namespaces", reference.namespace] : [];
  const parts = [...namespace, type.plural, reference.name, reference.subresource];
  return [
    `${root}/${type.apiVersion}`,
    ...parts.filter((part) => part !== undefined).map(encodeURIComponent),
  ].join("/");
}

/** The type that a user calls `pods`, `pod` or `po`, if it is one of those known here. */
export function findResourceType(word: string): ResourceType | undefined {
  return resourceTypes.find((type) => isCalled(type, word));
}

/** Whether a user means the type by this word: `deployments`, `deployment`, `deploy`, `deployments.apps`. */
export function isCalled(type: ResourceType, word: string): boolean {
  const name = word.toLowerCase();
  const { plural, singular, shortNames } = type;
  const names = [plural, singular, ...shortNames];
  const group = groupOf(type);
  return names.includes(name) || (group !== "" && names.some((each) => `${each}.${group}` === name));
}

/** Empty for the core group. */
export function groupOf({ apiVersion }: ResourceType): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

function core(kind: string, plural: string, shortNames: string[], namespaced: boolean): ResourceType {
  return { apiVersion: "v1", kind, plural, singular: kind.toLowerCase(), shortNames, namespaced };
}

function grouped(apiVersion: string, kind: string, shortNames: string[]): ResourceType {
  return { ...core(kind, `${kind.toLowerCase()}s`, shortNames, true), apiVersion };
}

function own(kind: string, plural: string, shortNames: string[], namespaced: boolean): ResourceType {
  return { ...core(kind, plural, shortNames, namespaced), apiVersion: "peapod.dev/v1alpha1" };
}
