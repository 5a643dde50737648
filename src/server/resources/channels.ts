import type { Channel, ChannelEndpoint, EndpointRole, Traffic } from "../../channels/types.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import type { ApiRequest } from "../request.ts";
import type { ForeignList, Resource } from "../resource.ts";
import { ageColumn, textColumn } from "../table/columns.ts";

/** Annotation of a list of channels: JSON list of `{layer, reason}`, the evidence that this machine can't give. */
const missingEvidenceAnnotation = "peapod.dev/missing-evidence";

/** How the containers of a pod talk: read-only, from the observer (docs/reference/channels.md). */
export const channels: Resource = {
  group: "peapod.dev",
  version: "v1alpha1",
  kind: "Channel",
  plural: "channels",
  singular: "channel",
  shortNames: ["ch"],
  namespaced: true,
  verbs: ["get", "list"],
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
    textColumn<Channel>("Sent", "Bytes in the direction of the arrow.", ({ status }) =>
      bytes(status.traffic?.clientToServer),
    ),
    textColumn<Channel>("Received", "Bytes in the other direction.", received),
    textColumn<Channel>("Port", "Whether it needs a containerPort, and has one.", port),
    ageColumn,
  ],
};

async function observedChannels({ context, scope }: ApiRequest): Promise<ForeignList> {
  const { channels, missing } = await context.channels.list(scope);
  return {
    items: channels as unknown as KubernetesObject[],
    ...(missing.length === 0
      ? {}
      : { annotations: { [missingEvidenceAnnotation]: JSON.stringify(missing) } }),
  };
}

const fromRoles: readonly EndpointRole[] = ["Client", "Sender", "Writer"];
const toRoles: readonly EndpointRole[] = ["Server", "Receiver", "Reader"];

/** The ends of one side. Peers have no sides: the first stands on the left, the others on the right. */
function ends({ status }: Channel, side: "from" | "to"): string {
  const roles = side === "from" ? fromRoles : toRoles;
  const [firstPeer, ...otherPeers] = names(status.endpoints.filter(({ role }) => role === "Peer"));
  const peers = side === "from" ? [firstPeer].filter((name) => name !== undefined) : otherPeers;
  const found = [...names(status.endpoints.filter(({ role }) => roles.includes(role))), ...peers];
  return found.length === 0 ? "<none>" : [...new Set(found)].join(",");
}

function names(endpoints: readonly ChannelEndpoint[]): string[] {
  return [...new Set(endpoints.map(({ container, path }) => container ?? path ?? "<outside>"))];
}

/** Channels whose data goes one way only. */
const oneWay = ["FIFO", "Pipe", "Signal"];

function received({ spec, status }: Channel): string {
  return oneWay.includes(spec.type) ? "<none>" : bytes(status.traffic?.serverToClient);
}

function bytes(traffic: Traffic | undefined): string {
  if (traffic?.bytes === undefined) return "<unknown>";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(traffic.bytes, 1)) / 10));
  const value = traffic.bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)}${units[power]}`;
}

function port({ status }: Channel): string {
  if (!status.needsPort) return "none needed";
  if (status.declared === undefined) return "<unknown>";
  return status.declared ? "declared" : "undeclared";
}

function channelField(read: (channel: Channel) => string): (object: KubernetesObject) => string {
  return (object) => read(object as unknown as Channel);
}
