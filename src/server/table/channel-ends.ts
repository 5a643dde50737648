import type { ChannelEndpoint, EndpointRole, KnownObject } from "../../channels/types.ts";

const fromRoles: readonly EndpointRole[] = ["Client", "Sender", "Writer"];
const toRoles: readonly EndpointRole[] = ["Server", "Receiver", "Reader"];

/**
 * Who stands on one side of a channel's arrow: containers, or addresses of those outside. Peers have no sides: the
 * first stands on the left, the others on the right.
 */
export function channelEnds(endpoints: readonly ChannelEndpoint[], side: "from" | "to"): string[] {
  const roles = side === "from" ? fromRoles : toRoles;
  const [firstPeer, ...otherPeers] = names(endpoints.filter(({ role }) => role === "Peer"));
  const peers = side === "from" ? [firstPeer].filter((name) => name !== undefined) : otherPeers;
  return [...new Set([...names(endpoints.filter(({ role }) => roles.includes(role))), ...peers])];
}

function names(endpoints: readonly ChannelEndpoint[]): string[] {
  return [
    ...new Set(
      endpoints.map(({ container, object, path }) => container ?? objectText(object) ?? path ?? "<outside>"),
    ),
  ];
}

/** As many pods of a Service as are named. */
const shownPods = 3;

/** `pod/NAME`, `service/NAME(PODS)`. */
function objectText(object: KnownObject | undefined): string | undefined {
  if (object === undefined) return undefined;
  const { kind, name, pods } = object;
  const text = `${kind.toLowerCase()}/${name}`;
  if (pods === undefined) return text;
  const rest = pods.length > shownPods ? ",..." : "";
  return `${text}(${pods.length === 0 ? "no pod" : pods.slice(0, shownPods).join(",")}${rest})`;
}
