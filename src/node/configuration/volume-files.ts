import { PeapodError } from "../../base/errors.ts";
import { initAndAppContainers } from "../../kube/pod-containers.ts";
import type { StoredPod, Volume } from "../../kube/types.ts";
import type { VolumeFile } from "../../volumes/types.ts";
import { fieldValue } from "./field-value.ts";
import { type ResourceReference, resourceValue } from "./resource-value.ts";
import type { Allocatable, ConfigurationObjects } from "./sources.ts";

/** Where the files of a volume come from. */
export interface VolumeSources {
  readonly objects: ConfigurationObjects;
  readonly allocatable: Allocatable;
  /** A token of the pod's service account for the audience, valid for so many seconds. */
  readonly token: (audience: string | undefined, expirationSeconds: number) => string;
}

type Files = Map<string, VolumeFile>;
type Projection = NonNullable<NonNullable<Volume["projected"]>["sources"]>[number];
type Item = { readonly key: string; readonly path: string; readonly mode?: number };

/** Modes of files are 0644 where nothing else is said (defaulting says so too). */
const defaultFileMode = 0o644;

/**
 * The files of a volume whose content comes from the API, by path in the volume; undefined for any other volume.
 * Throws FailedMount with the kubelet's words when something that is not optional is missing
 * (https://kubernetes.io/docs/concepts/storage/projected-volumes/).
 */
export function volumeFiles(pod: StoredPod, volume: Volume, sources: VolumeSources): Files | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) {
    return configMapFiles(configMap, configMap.defaultMode ?? defaultFileMode, sources);
  }
  if (secret !== undefined) {
    return secretFiles(
      { ...secret, name: secret.secretName ?? "" },
      secret.defaultMode ?? defaultFileMode,
      sources,
    );
  }
  if (downwardAPI !== undefined) {
    return downwardFiles(downwardAPI.items ?? [], downwardAPI.defaultMode ?? defaultFileMode, pod, sources);
  }
  if (projected === undefined) return undefined;
  const mode = projected.defaultMode ?? defaultFileMode;
  const files: Files = new Map();
  for (const source of projected.sources ?? []) {
    for (const [path, file] of projectedFiles(source, mode, pod, sources)) files.set(path, file);
  }
  return files;
}

function projectedFiles(source: Projection, mode: number, pod: StoredPod, sources: VolumeSources): Files {
  if (source.configMap !== undefined) return configMapFiles(source.configMap, mode, sources);
  if (source.secret !== undefined) return secretFiles(source.secret, mode, sources);
  if (source.downwardAPI !== undefined) {
    return downwardFiles(source.downwardAPI.items ?? [], mode, pod, sources);
  }
  if (source.serviceAccountToken !== undefined) {
    const { audience, expirationSeconds, path } = source.serviceAccountToken;
    const data = Buffer.from(sources.token(audience, expirationSeconds ?? 3600));
    return new Map([[path, { data, ...tokenAccess(pod, mode) }]]);
  }
  const [kind] = Object.keys(source);
  throw failure(`projected volumes cannot hold a ${kind ?? "source without a kind"}`);
}

interface ObjectSource {
  readonly name?: string;
  readonly optional?: boolean;
  readonly items?: readonly Item[];
}

function configMapFiles(source: ObjectSource, mode: number, { objects }: VolumeSources): Files {
  const name = source.name ?? "";
  const configMap = objects.configMap(name);
  if (configMap === undefined) {
    if (source.optional === true) return new Map();
    throw failure(`configmap "${name}" not found`);
  }
  const data = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(configMap.data ?? {})) data.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(configMap.binaryData ?? {})) {
    data.set(key, Buffer.from(String(value), "base64"));
  }
  return pick(data, source, mode, `configmap references non-existent config key: `);
}

function secretFiles(source: ObjectSource, mode: number, { objects }: VolumeSources): Files {
  const name = source.name ?? "";
  const secret = objects.secret(name);
  if (secret === undefined) {
    if (source.optional === true) return new Map();
    throw failure(`secret "${name}" not found`);
  }
  const data = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    data.set(key, Buffer.from(String(value), "base64"));
  }
  return pick(data, source, mode, `references non-existent secret key: `);
}

/** All keys as files of their names, or those that `items` name under the paths that they give. */
function pick(
  data: ReadonlyMap<string, Buffer>,
  { items = [], optional }: ObjectSource,
  mode: number,
  complaint: string,
): Files {
  if (items.length === 0) return new Map([...data].map(([key, content]) => [key, { data: content, mode }]));
  const files: Files = new Map();
  for (const { key, path, mode: own } of items) {
    const content = data.get(key);
    if (content !== undefined) files.set(path, { data: content, mode: own ?? mode });
    else if (optional !== true) throw failure(`${complaint}${key}`);
  }
  return files;
}

interface DownwardItem {
  readonly path: string;
  readonly mode?: number;
  readonly fieldRef?: { readonly fieldPath: string };
  readonly resourceFieldRef?: ResourceReference;
}

const noAddresses = { podIPs: [], hostIPs: [] };

function downwardFiles(
  items: readonly DownwardItem[],
  mode: number,
  pod: StoredPod,
  { allocatable }: VolumeSources,
): Files {
  const text = ({ fieldRef, resourceFieldRef }: DownwardItem): string => {
    if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath, noAddresses);
    if (resourceFieldRef !== undefined) return resourceValue(resourceFieldRef, pod, undefined, allocatable);
    return "";
  };
  return new Map(
    items.map((item) => [item.path, { data: Buffer.from(sortLines(text(item))), mode: item.mode ?? mode }]),
  );
}

/** The kubelet sorts the lines of whatever it writes for the downward API. */
function sortLines(text: string): string {
  return text.split("\n").sort().join("\n");
}

/**
 * Who may read a token: nobody but the user as whom every container runs, or the pod's group where it has one.
 * Where containers run as different users, the volume's own mode.
 */
function tokenAccess(pod: StoredPod, mode: number): { mode: number; owner?: number } {
  const user = commonUser(pod);
  if (user !== undefined) return { mode: 0o600, owner: user };
  return { mode: pod.spec.securityContext?.fsGroup === undefined ? mode : 0o600 };
}

function commonUser({ spec }: StoredPod): number | undefined {
  const users = initAndAppContainers(spec).map(
    ({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser,
  );
  return users.every((user) => user === users[0]) ? users[0] : undefined;
}

function failure(message: string): PeapodError {
  return new PeapodError("FailedMount", message);
}
