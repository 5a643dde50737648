import type { Channel } from "../../channels/types.ts";
import type { LiveView } from "./view.ts";

/**
 * Attempts of a container, lately, to connect (TCP) or to send (UDP) to an address of the pod at which nobody was.
 */
export interface RefusedAttempts {
  readonly protocol: "TCP" | "UDP";
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
    const protocol = spec.type === "TCP" || spec.type === "UDP" ? spec.type : undefined;
    const isRefused = status.state === "Blocked" && client?.role === "Client" && others.length === 0;
    if (protocol === undefined || !isRefused) return [];
    if (client.container === undefined || spec.port === undefined) return [];
    const address = spec.address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    return [{ protocol, container: client.container, address, port: spec.port, channel }];
  });
}
