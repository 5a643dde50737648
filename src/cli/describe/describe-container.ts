import type { Container, ContainerState, ContainerStatus, Probe } from "../../kube/types.ts";
import { type Line, longTime } from "./outline.ts";

/** A container as `kubectl describe pod` shows it. */
export function describeContainer(container: Container, status: ContainerStatus | undefined): Line {
  const ports = container.ports ?? [];
  const list = (words: readonly string[] | undefined, key: string): Line[] =>
    words === undefined || words.length === 0
      ? []
      : [{ heading: key, lines: [{ text: words.flatMap((word) => word.split("\n")) }] }];
  return {
    heading: container.name,
    lines: [
      ["Container ID", status?.containerID ?? ""],
      ["Image", container.image ?? ""],
      ["Image ID", status?.imageID ?? ""],
      [
        ports.length > 1 ? "Ports" : "Port",
        ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol ?? "TCP"}`).join(", ") ||
          "<none>",
      ],
      [
        ports.length > 1 ? "Host Ports" : "Host Port",
        ports.map(({ hostPort, protocol }) => `${hostPort ?? 0}/${protocol ?? "TCP"}`).join(", ") || "<none>",
      ],
      ...list(container.command, "Command"),
      ...list(container.args, "Args"),
      ...stateLines("State", status?.state),
      ...(status?.lastState === undefined || Object.keys(status.lastState).length === 0
        ? []
        : stateLines("Last State", status.lastState)),
      ["Ready", status?.ready === true ? "True" : "False"],
      ["Restart Count", String(status?.restartCount ?? 0)],
      ...resourceLines("Limits", container.resources?.limits),
      ...resourceLines("Requests", container.resources?.requests),
      ...probeLines("Liveness", container.livenessProbe),
      ...probeLines("Readiness", container.readinessProbe),
      ...probeLines("Startup", container.startupProbe),
      ...environmentLines(container),
      ...mountLines(container),
    ],
  };
}

function stateLines(key: string, state: ContainerState | undefined): Line[] {
  const { running, waiting, terminated } = state ?? {};
  if (running !== undefined) {
    return [
      [key, "Running"],
      ["  Started", longTime(running.startedAt)],
    ];
  }
  if (terminated !== undefined) {
    return [
      [key, "Terminated"],
      ...(terminated.reason === undefined ? [] : [["  Reason", terminated.reason] as const]),
      ...(terminated.message === undefined ? [] : [["  Message", terminated.message.split("\n")] as const]),
      ["  Exit Code", String(terminated.exitCode)],
      ...(terminated.signal === undefined ? [] : [["  Signal", String(terminated.signal)] as const]),
      ["  Started", longTime(terminated.startedAt)],
      ["  Finished", longTime(terminated.finishedAt)],
    ];
  }
  return [
    [key, "Waiting"],
    ...(waiting?.reason === undefined ? [] : [["  Reason", waiting.reason] as const]),
    ...(waiting?.message === undefined ? [] : [["  Message", waiting.message.split("\n")] as const]),
  ];
}

function resourceLines(
  heading: string,
  amounts: Readonly<Record<string, string | number>> | undefined,
): Line[] {
  const entries = Object.entries(amounts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0
    ? []
    : [{ heading, lines: entries.map(([name, amount]) => [name, String(amount)] as const) }];
}

function probeLines(key: string, probe: Probe | undefined): Line[] {
  if (probe === undefined) return [];
  const { exec, httpGet, tcpSocket, grpc } = probe;
  const scheme = (httpGet?.scheme ?? "HTTP").toLowerCase();
  const action =
    exec !== undefined
      ? `exec [${(exec.command ?? []).join(" ")}]`
      : httpGet !== undefined
        ? `http-get ${scheme}://${httpGet.host ?? ""}:${httpGet.port}${httpGet.path ?? "/"}`
        : tcpSocket !== undefined
          ? `tcp-socket ${tcpSocket.host ?? ""}:${tcpSocket.port}`
          : `grpc <pod>:${grpc?.port} ${grpc?.service ?? ""}`.trimEnd();
  const numbers =
    `delay=${probe.initialDelaySeconds ?? 0}s timeout=${probe.timeoutSeconds ?? 1}s ` +
    `period=${probe.periodSeconds ?? 10}s #success=${probe.successThreshold ?? 1} #failure=${probe.failureThreshold ?? 3}`;
  return [[key, `${action} ${numbers}`]];
}

function environmentLines({ env = [] }: Container): Line[] {
  if (env.length === 0) return [["Environment", "<none>"]];
  const lines = env.map(({ name, value, valueFrom }) => [name, value ?? sourceText(valueFrom)] as const);
  return [{ heading: "Environment", lines }];
}

function sourceText(source: NonNullable<Container["env"]>[number]["valueFrom"]): string {
  if (source?.fieldRef !== undefined)
    return ` (${source.fieldRef.apiVersion ?? "v1"}:${source.fieldRef.fieldPath})`;
  if (source?.resourceFieldRef !== undefined) return ` (${source.resourceFieldRef.resource})`;
  const ref = source?.secretKeyRef ?? source?.configMapKeyRef;
  if (ref === undefined) return "";
  const kind = source?.secretKeyRef === undefined ? "config map" : "secret";
  return `<set to the key '${ref.key}' of ${kind} '${ref.name}'>  Optional: ${ref.optional ?? false}`;
}

function mountLines({ volumeMounts = [] }: Container): Line[] {
  if (volumeMounts.length === 0) return [["Mounts", "<none>"]];
  const lines = volumeMounts
    .toSorted((a, b) => (a.mountPath < b.mountPath ? -1 : 1))
    .map(({ mountPath, name, readOnly, subPath }) => {
      const path = subPath === undefined ? "" : `,path="${subPath}"`;
      return `${mountPath} from ${name} (${readOnly === true ? "ro" : "rw"}${path})`;
    });
  return [{ heading: "Mounts", lines: [{ text: lines }] }];
}
