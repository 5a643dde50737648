import type { Channel } from "../../channels/types.ts";
import type { LiveView } from "./view.ts";

/** Attempts of a container to connect, lately, to an address of the pod that nobody answered. */
export interface RefusedAttempts {
  readonly container: string;
  readonly address: string;
  readonly port: number;
  readonly channel: Channel;
}

/** What the pod's containers tried in vain during the last minute, as the channels tell it. */
export function refusedAttempts({ channels }: LiveView): RefusedAttempts[] {
  return channels.flatMap((channel) => {
    const { spec, status } = channel;
    const [client, ...others] = status.endpoints;
    const isRefused =
      spec.type === "TCP" && status.state === "Blocked" && client?.role === "Client" && others.length === 0;
    if (!isRefused || client.container === undefined || spec.port === undefined) return [];
    const address = spec.address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    return [{ container: client.container, address, port: spec.port, channel }];
  });
}
