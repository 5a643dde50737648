import type { Channel, ChannelEndpoint, ChannelState } from "../../channels/types.ts";

/** Who can be at an end of an arrow that is in no container of the pod. */
export const outside = "outside";

/** One pod as boxes and arrows: what dot, Mermaid and SVG draw. */
export interface PodMap {
  readonly namespace: string;
  readonly pod: string;
  /** In the pod's order. */
  readonly containers: readonly string[];
  /** Whether an arrow comes from or leads out of the pod. */
  readonly hasOutside: boolean;
  readonly arrows: readonly MapArrow[];
}

/** One channel, or one pair of its ends where it has more than two. */
export interface MapArrow {
  /** A container, or {@link outside}. */
  readonly from: string;
  /** Undefined for a server that nobody talks to. */
  readonly to: string | undefined;
  /** `one`: as it points; `both`: data goes both ways by one request of the client; `peers`: nobody leads. */
  readonly direction: "one" | "both" | "peers";
  /** `TCP 127.0.0.1:8080`. */
  readonly title: string;
  /** State, traffic, port: `active · 780 B sent, 1.7 KiB back · port declared`. */
  readonly detail: string;
  /** Of a blocked or stale channel. */
  readonly reason: string | undefined;
  readonly state: ChannelState;
}

/** The maps of all pods that the channels are of. `containersOf` names a pod's containers where that is known. */
export function channelMaps(
  channels: readonly Channel[],
  containersOf: ReadonlyMap<string, readonly string[]> = new Map(),
): PodMap[] {
  const byPod = Map.groupBy(channels, ({ spec }) => spec.podUID);
  return [...byPod].map(([uid, own]) => {
    const arrows = own.flatMap(arrowsOf);
    const seen = arrows.flatMap(({ from, to }) => [from, to]).filter((name) => name !== undefined);
    const names = new Set([...(containersOf.get(uid) ?? []), ...seen]);
    names.delete(outside);
    return {
      namespace: own[0]?.metadata.namespace ?? "",
      pod: own[0]?.spec.pod ?? "",
      containers: [...names],
      hasOutside: seen.includes(outside),
      arrows,
    };
  });
}

const fromRoles = ["Client", "Sender", "Writer"];
const toRoles = ["Server", "Receiver", "Reader"];
const oneWay = ["FIFO", "Pipe", "Signal", "SysVMessageQueue", "POSIXMessageQueue"];

function arrowsOf(channel: Channel): MapArrow[] {
  const { spec, status } = channel;
  const names = (ends: readonly ChannelEndpoint[]) => [
    ...new Set(ends.map(({ container }) => container ?? outside)),
  ];
  const peers = names(status.endpoints.filter(({ role }) => role === "Peer"));
  const from = names(status.endpoints.filter(({ role }) => fromRoles.includes(role)));
  const to = names(status.endpoints.filter(({ role }) => toRoles.includes(role)));
  const parts = {
    title: `${spec.type} ${spec.address}`,
    detail: detailOf(channel),
    reason: status.reason,
    state: status.state,
  };
  const arrow = (a: string, b: string | undefined, direction: MapArrow["direction"]): MapArrow => ({
    from: a,
    to: b,
    direction,
    ...parts,
  });
  // A peer of one-sided others stands where they are missing.
  const [left, right] = [from.length > 0 ? from : to.length > 0 ? peers : [], to.length > 0 ? to : peers];
  if (left.length > 0 && right.length > 0) {
    const direction =
      oneWay.includes(spec.type) || spec.type.endsWith("Memory") || spec.type === "SharedFile";
    return left.flatMap((a) => right.map((b) => arrow(a, b, direction ? "one" : "both")));
  }
  const [first, ...others] = [...peers, ...from, ...to];
  if (first === undefined) return [];
  return others.length === 0
    ? [arrow(first, undefined, "peers")]
    : others.map((b) => arrow(first, b, "peers"));
}

function detailOf({ spec, status }: Channel): string {
  const { traffic, connections } = status;
  const forward = traffic?.clientToServer?.bytes;
  const back = traffic?.serverToClient?.bytes;
  const calls = traffic?.clientToServer?.operations;
  const moved = [
    ...(forward === undefined ? [] : [`${formatBytes(forward)} sent`]),
    ...(back === undefined ? [] : [`${formatBytes(back)} back`]),
    ...(forward === undefined && calls !== undefined ? [`${calls} times`] : []),
  ];
  const port = !status.needsPort
    ? "no port needed"
    : status.declared === undefined
      ? ""
      : status.declared
        ? "port declared"
        : "port not declared";
  return [
    status.state.toLowerCase(),
    moved.join(", "),
    spec.size === undefined ? "" : formatBytes(spec.size),
    connections === undefined || connections.total < 2 ? "" : `${connections.total} connections`,
    port,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

/** `780 B`, `1.7 KiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}

/** Colours of an arrow by the state of its channel; dark enough for text on white. */
export const stateColours: Readonly<Record<ChannelState, string>> = {
  Active: "#1a7f37",
  Listening: "#57606a",
  Idle: "#57606a",
  Blocked: "#c9252d",
  Stale: "#9a6700",
  Closed: "#8c959f",
};
