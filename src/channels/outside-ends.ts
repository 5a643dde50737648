import type { AddressBook, Channel, ChannelEndpoint } from "./types.ts";

/** The channel with the objects that its ends outside the pod are, as far as the address book knows them. */
export function withKnownObjects(channel: Channel, book: AddressBook): Channel {
  const { type } = channel.spec;
  if (type !== "TCP" && type !== "UDP") return channel;
  const endpoints = channel.status.endpoints.map((end) => withKnownObject(end, type, book));
  return { ...channel, status: { ...channel.status, endpoints } };
}

function withKnownObject(end: ChannelEndpoint, protocol: "TCP" | "UDP", book: AddressBook): ChannelEndpoint {
  if (end.container !== undefined || end.path === undefined) return end;
  const [, ip = "", port] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(end.path) ?? [];
  const object = book.find(ip, port === undefined ? undefined : Number(port), protocol);
  return object === undefined ? end : { ...end, object };
}
