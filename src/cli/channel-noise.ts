import type { Channel } from "../channels/types.ts";

/**
 * Whether a channel says nothing about how containers talk: it stays within one container, or it is the bare
 * listener of an address on which a conversation is shown anyway.
 */
export function hidesChannel(channel: Channel, all: readonly Channel[]): boolean {
  if (channel.spec.scope === "IntraContainer") return true;
  if (channel.status.state !== "Listening") return false;
  return all.some(
    (other) =>
      other !== channel &&
      other.status.state !== "Listening" &&
      other.spec.scope !== "IntraContainer" &&
      other.spec.podUID === channel.spec.podUID &&
      other.spec.type === channel.spec.type &&
      sameEndpoint(other, channel),
  );
}

function sameEndpoint(a: Channel, b: Channel): boolean {
  return a.spec.port === undefined ? a.spec.address === b.spec.address : a.spec.port === b.spec.port;
}
