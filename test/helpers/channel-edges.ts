import type { Channel } from "../../src/channels/types.ts";

const senders = ["Client", "Writer", "Sender"];

/** `from -> to TYPE address` of a channel with two ends; `a == b` where none of them leads. Undefined for others. */
export function edgeOf({ spec, status }: Channel): string | undefined {
  const { endpoints } = status;
  if (endpoints.length < 2 || status.state === "Closed") return undefined;
  const name = (end: (typeof endpoints)[number]) => end.container ?? "outside";
  const of = (ends: readonly (typeof endpoints)[number][]) => ends.map(name).sort().join("+");
  if (endpoints.every(({ role }) => role === "Peer"))
    return `${endpoints.map(name).sort().join(" == ")} ${spec.type} ${spec.address}`;
  const from = endpoints.filter(({ role }) => senders.includes(role));
  const to = endpoints.filter(({ role }) => !senders.includes(role));
  return `${of(from)} -> ${of(to)} ${spec.type} ${spec.address}`;
}

/** The edges of channels, sorted. */
export function edgesOf(channels: readonly Channel[]): string[] {
  return channels.flatMap((channel) => edgeOf(channel) ?? []).sort();
}
