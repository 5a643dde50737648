import type { Event, StoredPod, Volume } from "../../kube/types.ts";
import { age } from "../duration.ts";
import { formatColumns } from "../printers/columns.ts";
import { describeContainer } from "./describe-container.ts";
import { describeEvents } from "./describe-events.ts";
import { formatOutline, indented, type Line, longTime, pairs, withoutLastApplied } from "./outline.ts";

/** A pod as `kubectl describe pod` shows it; `now` in milliseconds since the epoch. */
export function describePod(pod: StoredPod, events: readonly Event[], now: number): string {
  const { metadata, spec, status } = pod;
  const statuses = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  const containers = (list: StoredPod["spec"]["containers"]) =>
    list.map((container) =>
      describeContainer(
        container,
        statuses.find(({ name }) => name === container.name),
      ),
    );
  const ips = (status?.podIPs ?? []).map(({ ip }) => ["IP", ip ?? ""] as const);
  const conditions = (status?.conditions ?? []).map(({ type, status }) => [type, status]);

  const head: Line[] = [
    ["Name", metadata.name],
    ["Namespace", metadata.namespace],
    ["Priority", String(spec.priority ?? 0)],
    ...(spec.runtimeClassName === undefined ? [] : [["Runtime Class Name", spec.runtimeClassName] as const]),
    ["Service Account", spec.serviceAccountName ?? "default"],
    ["Node", spec.nodeName === undefined ? "<none>" : `${spec.nodeName}/${status?.hostIP ?? ""}`],
    ...(status?.startTime === undefined ? [] : [["Start Time", longTime(status.startTime)] as const]),
    ["Labels", pairs(metadata.labels)],
    ["Annotations", pairs(withoutLastApplied(metadata.annotations), ": ")],
    ...(metadata.deletionTimestamp === undefined
      ? [["Status", status?.phase ?? "Unknown"] as const]
      : [
          ["Status", `Terminating (lasts ${age(metadata.deletionTimestamp, now)})`] as const,
          ["Termination Grace Period", `${metadata.deletionGracePeriodSeconds ?? 0}s`] as const,
        ]),
    ...(status?.reason === undefined ? [] : [["Reason", status.reason] as const]),
    ...(status?.message === undefined ? [] : [["Message", status.message] as const]),
    ["IP", status?.podIP ?? ""],
  ];
  const width = Math.max(...head.map((line) => (Array.isArray(line) ? `${line[0]}:`.length + 2 : 0)));
  return [
    formatOutline(head),
    `IPs:${ips.length === 0 ? `${" ".repeat(width - 4)}<none>` : ""}\n`,
    formatOutline(ips, "  "),
    spec.initContainers === undefined || spec.initContainers.length === 0
      ? ""
      : `Init Containers:\n${formatOutline(containers(spec.initContainers), "  ")}`,
    `Containers:\n${formatOutline(containers(spec.containers), "  ")}`,
    spec.ephemeralContainers === undefined || spec.ephemeralContainers.length === 0
      ? ""
      : `Ephemeral Containers:\n${formatOutline(containers(spec.ephemeralContainers), "  ")}`,
    conditions.length === 0
      ? ""
      : `Conditions:\n${indented(formatColumns([["Type", "Status"], ...conditions]))}`,
    describeVolumes(spec.volumes),
    formatOutline(
      [
        ["QoS Class", status?.qosClass ?? ""],
        ["Node-Selectors", pairs(spec.nodeSelector)],
        ["Tolerations", tolerations(pod)],
      ],
      "",
      width,
    ),
    describeEvents(events, now),
  ].join("");
}

function describeVolumes(volumes: readonly Volume[] = []): string {
  if (volumes.length === 0) return "Volumes:  <none>\n";
  const lines = volumes.map(({ name, ...source }): Line => ({ heading: name, lines: volumeLines(source) }));
  return `Volumes:\n${formatOutline(lines, "  ")}`;
}

function volumeLines(source: Omit<Volume, "name">): Line[] {
  const { emptyDir, hostPath, ...others } = source;
  if (emptyDir !== undefined) {
    return [
      ["Type", "EmptyDir (a temporary directory that shares a pod's lifetime)"],
      ["Medium", emptyDir.medium ?? ""],
      ["SizeLimit", String(emptyDir.sizeLimit ?? "<unset>")],
    ];
  }
  if (hostPath !== undefined) {
    return [
      ["Type", "HostPath (bare host directory volume)"],
      ["Path", hostPath.path],
      ["HostPathType", hostPath.type ?? ""],
    ];
  }
  return [["Type", Object.keys(others)[0] ?? "<unknown>"]];
}

function tolerations({ spec }: StoredPod): string[] {
  const list = (spec.tolerations ?? []).map(({ key = "", operator, value, effect, tolerationSeconds }) => {
    const taint = `${key}${value === undefined ? "" : `=${value}`}${effect === undefined ? "" : `:${effect}`}`;
    const exists = operator === "Exists" && value === undefined ? " op=Exists" : "";
    return `${taint}${exists}${tolerationSeconds === undefined ? "" : ` for ${tolerationSeconds}s`}`;
  });
  return list.length === 0 ? ["<none>"] : list;
}
