import { expect, test } from "vitest";
import { withKnownObjects } from "./outside-ends.ts";
import type { AddressBook, Channel, ChannelEndpoint } from "./types.ts";

const web = { kind: "Service", namespace: "shop", name: "web", pods: ["web-0"] } as const;
const asker = { kind: "Pod", namespace: "shop", name: "asker" } as const;
const book: AddressBook = {
  find: (ip, port, protocol) =>
    ip === "10.96.0.7" && port === 80 && protocol === "TCP" ? web : ip === "10.244.0.2" ? asker : undefined,
};

function objectsOf(type: string, ...endpoints: ChannelEndpoint[]) {
  const channel = { spec: { type }, status: { endpoints } } as unknown as Channel;
  return withKnownObjects(channel, book).status.endpoints.map(({ object }) => object);
}

test.each<[string, string, ChannelEndpoint, unknown]>([
  ["a server by address and port", "TCP", { role: "Server", path: "10.96.0.7:80" }, web],
  ["not by another port", "TCP", { role: "Server", path: "10.96.0.7:81" }, undefined],
  ["not by another protocol", "UDP", { role: "Server", path: "10.96.0.7:80" }, undefined],
  ["a client by its address", "TCP", { role: "Client", path: "10.244.0.2" }, asker],
  ["not one that the world has", "TCP", { role: "Client", path: "[2001:db8::1]:80" }, undefined],
  ["not a container's own end", "TCP", { role: "Client", container: "a", path: "10.244.0.2" }, undefined],
  ["not of channels without addresses", "FIFO", { role: "Writer", path: "10.244.0.2" }, undefined],
])("an end outside is known: %s", (_, type, end, expected) => {
  expect(objectsOf(type, end)).toEqual([expected]);
});
