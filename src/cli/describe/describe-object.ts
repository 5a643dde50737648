import type { Event, KubernetesObject } from "../../kube/types.ts";
import { describeEvents } from "./describe-events.ts";
import { formatOutline, type Line, pairs, withoutLastApplied } from "./outline.ts";

/**
 * An object of any kind as `kubectl describe` shows kinds that it has no words of its own for: names, then every field in
 * words, then events; `now` in milliseconds since the epoch. Values of Secrets are left out.
 */
export function describeObject(object: KubernetesObject, events: readonly Event[], now: number): string {
  const { apiVersion, kind, metadata, ...fields } = object as KubernetesObject & Record<string, unknown>;
  const owners = (metadata.ownerReferences ?? []).map(({ kind, name }) => `${kind}/${name}`);
  const head: Line[] = [
    ["Name", metadata.name],
    ...(metadata.namespace === undefined ? [] : [["Namespace", metadata.namespace] as const]),
    ["Labels", pairs(metadata.labels)],
    ["Annotations", pairs(withoutLastApplied(metadata.annotations), ": ")],
    ["API Version", apiVersion ?? ""],
    ["Kind", kind ?? ""],
    ["Created", metadata.creationTimestamp ?? ""],
    ...(metadata.deletionTimestamp === undefined ? [] : [["Deleted", metadata.deletionTimestamp] as const]),
    ...(owners.length === 0 ? [] : [["Controlled By", owners] as const]),
  ];
  const shown = kind === "Secret" ? { ...fields, data: sizes(fields.data) } : fields;
  return `${formatOutline(head)}${formatOutline(lines(shown))}${describeEvents(events, now)}`;
}

function sizes(data: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries((data ?? {}) as Record<string, string>).map(([key, value]) => [
      key,
      `${Buffer.from(value, "base64").length} bytes`,
    ]),
  );
}

/** Fields whose keys are not the API's words, but the user's. */
const maps = ["labels", "matchLabels", "selector", "annotations", "nodeSelector", "limits", "requests"];

function isFlat(map: object): map is Record<string, string> {
  return Object.values(map).every((value) => typeof value !== "object");
}

function lines(value: object, call: (key: string) => string = words): Line[] {
  return Object.entries(value).flatMap(([key, field]): Line[] => {
    const name = call(key);
    if (field === undefined || field === null) return [];
    if (typeof field !== "object") return [[name, String(field).split("\n")]];
    if (maps.includes(key) && !Array.isArray(field) && isFlat(field)) return [[name, pairs(field)]];
    if (/^(?:binaryD|stringD|d)ata$/.test(key)) return [{ heading: name, lines: lines(field, (own) => own) }];
    if (!Array.isArray(field)) return [{ heading: name, lines: lines(field) }];
    if (field.every((each) => typeof each !== "object")) return [[name, field.map(String)]];
    return [
      {
        heading: name,
        lines: field.flatMap((each, index) => [...separator(index), ...lines(each as object)]),
      },
    ];
  });
}

function separator(index: number): Line[] {
  return index === 0 ? [] : [{ text: [""] }];
}

/** `minReadySeconds` as `Min Ready Seconds`; keys that are no field's name (`app.kubernetes.io/name`) as they are. */
function words(key: string): string {
  if (!/^[a-z][A-Za-z]*$/.test(key)) return key;
  const spaced = key.replaceAll(/([a-z])([A-Z])/g, "$1 $2");
  return `${spaced[0]?.toUpperCase()}${spaced.slice(1)}`;
}
