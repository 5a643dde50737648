import { PeapodError } from "../../base/errors.ts";
import type { StoredPod } from "../../kube/types.ts";

/** The addresses that a pod's own status may not show yet. */
export interface PodAddresses {
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
}

/** Fields whose value is only known once the pod's network is up. */
export const addressFields: readonly string[] = ["status.podIP", "status.podIPs"];

/**
 * The value of a pod's field as text, for environment variables and downward API files. A label or annotation that
 * the pod has not is empty; whole maps have one `key="value"` a line, sorted
 * (https://kubernetes.io/docs/concepts/workloads/pods/downward-api/). Throws CreateContainerConfigError for a path
 * that is none of them.
 */
export function fieldValue(pod: StoredPod, fieldPath: string, addresses: PodAddresses): string {
  const { metadata, spec } = pod;
  const entry = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
  if (entry !== null) return metadata[entry[1] as "labels" | "annotations"]?.[entry[2] ?? ""] ?? "";
  switch (fieldPath) {
    case "metadata.name":
      return metadata.name;
    case "metadata.namespace":
      return metadata.namespace;
    case "metadata.uid":
      return metadata.uid;
    case "metadata.labels":
    case "metadata.annotations":
      return mapLines(metadata[fieldPath === "metadata.labels" ? "labels" : "annotations"] ?? {});
    case "spec.nodeName":
      return spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return spec.serviceAccountName ?? "default";
    case "status.hostIP":
      return addresses.hostIPs[0] ?? "";
    case "status.hostIPs":
      return addresses.hostIPs.join(",");
    case "status.podIP":
      return addresses.podIPs[0] ?? "";
    case "status.podIPs":
      return addresses.podIPs.join(",");
    default:
      throw new PeapodError("CreateContainerConfigError", `unsupported fieldPath: ${fieldPath}`);
  }
}

function mapLines(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${quote(map[key] ?? "")}`)
    .join("\n");
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** A string in double quotes as Go writes it (strconv.Quote), which is what readers of such files undo. */
function quote(text: string): string {
  const inner = text.replace(/["\\\p{C}\p{Z}]/gu, (character) => {
    if (character === " ") return character;
    const known = escapes[character];
    if (known !== undefined) return known;
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
    const hex = code.toString(16);
    return code > 0xffff ? `\\U${hex.padStart(8, "0")}` : `\\u${hex.padStart(4, "0")}`;
  });
  return `"${inner}"`;
}
