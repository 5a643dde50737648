import type { Channel, Traffic } from "../../channels/types.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import type { ApiRequest } from "../request.ts";
import type { ForeignList, Resource } from "../resource.ts";
import { channelEnds } from "../table/channel-ends.ts";
import { ageColumn, textColumn } from "../table/columns.ts";
import { channelInterest, missingEvidenceAnnotation } from "./channel-interest.ts";
import { watchChannels } from "./channel-watch.ts";

/** How the containers of a pod talk: read-only, from the observer (docs/reference/channels.md). */
export const channels: Resource = {
  group: "peapod.dev",
  version: "v1alpha1",
  kind: "Channel",
  plural: "channels",
  singular: "channel",
  shortNames: ["ch"],
  namespaced: true,
  verbs: ["get", "list", "watch"],
  handlers: { watch: watchChannels },
  subresources: {},
  listElsewhere: observedChannels,
  selectableFields: {
    "spec.pod": channelField(({ spec }) => spec.pod),
    "spec.podUID": channelField(({ spec }) => spec.podUID),
    "spec.type": channelField(({ spec }) => spec.type),
    "spec.scope": channelField(({ spec }) => spec.scope),
    "status.state": channelField(({ status }) => status.state),
  },
  columns: [
    textColumn<Channel>("Pod", "Pod whose containers talk.", ({ spec }) => spec.pod),
    textColumn<Channel>("From", "Who connects, sends or writes.", (channel) => ends(channel, "from")),
    textColumn<Channel>("To", "Who serves, receives or reads.", (channel) => ends(channel, "to")),
    textColumn<Channel>("Type", "Kind of channel.", ({ spec }) => spec.type),
    textColumn<Channel>(
      "Address",
      "Where they meet: address, path, key or name.",
      ({ spec }) => spec.address,
    ),
    textColumn<Channel>("State", "Whether it is in use.", ({ status }) => status.state),
    textColumn<Channel>("Sent", "Bytes in the direction of the arrow.", sent),
    textColumn<Channel>("Received", "Bytes in the other direction.", received),
    textColumn<Channel>("Port", "Whether it needs a containerPort, and has one.", port),
    ageColumn,
    textColumn<Channel>("Reason", "Why it is blocked or stale.", ({ status }) => status.reason ?? "", {
      wide: true,
    }),
    textColumn<Channel>("Connections", "Open now, and since it came.", connections, { wide: true }),
    textColumn<Channel>("Processes", "Who holds the ends: name and PID in the container.", processes, {
      wide: true,
    }),
    textColumn<Channel>("Evidence", "What of the kernel says so.", evidence, { wide: true }),
  ],
};

async function observedChannels({ context, query, scope }: ApiRequest): Promise<ForeignList> {
  const { channels, missing } = await context.channels.list(scope, channelInterest(query));
  return {
    items: channels as unknown as KubernetesObject[],
    ...(missing.length === 0
      ? {}
      : { annotations: { [missingEvidenceAnnotation]: JSON.stringify(missing) } }),
  };
}

function ends({ status }: Channel, side: "from" | "to"): string {
  const found = channelEnds(status.endpoints, side);
  return found.length === 0 ? "<none>" : found.join(",");
}

/** Channels whose data goes one way only. */
const oneWay = ["FIFO", "Pipe", "Signal"];

function sent({ spec, status }: Channel): string {
  const forward = status.traffic?.clientToServer;
  if (spec.type === "Signal") return forward === undefined ? "<unknown>" : `${forward.operations ?? 0} times`;
  return bytes(forward);
}

function received({ spec, status }: Channel): string {
  const goesOneWay = oneWay.includes(spec.type) && status.traffic !== undefined;
  return goesOneWay ? "<none>" : bytes(status.traffic?.serverToClient);
}

function bytes(traffic: Traffic | undefined): string {
  if (traffic?.bytes === undefined) return "<unknown>";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(traffic.bytes, 1)) / 10));
  const value = traffic.bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)}${units[power]}`;
}

function connections({ status }: Channel): string {
  return status.connections === undefined
    ? ""
    : `${status.connections.open} open, ${status.connections.total} in all`;
}

function processes({ status }: Channel): string {
  return status.endpoints
    .flatMap(({ container, process, pid }) =>
      process === undefined ? [] : [`${container}:${process}${pid === undefined ? "" : `(${pid})`}`],
    )
    .join(",");
}

function evidence({ status }: Channel): string {
  return [...new Set(status.evidence.map(({ source }) => source))].join(",");
}

function port({ status }: Channel): string {
  if (!status.needsPort) return "none needed";
  if (status.declared === undefined) return "<unknown>";
  return status.declared ? "declared" : "undeclared";
}

function channelField(read: (channel: Channel) => string): (object: KubernetesObject) => string {
  return (object) => read(object as unknown as Channel);
}
