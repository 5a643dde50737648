import type { Channel, ChannelState, MissingEvidence } from "../../channels/types.ts";
import { channelEnds } from "../table/channel-ends.ts";
import type { Metric, Sample } from "./prometheus.ts";

/** So many channels of one pod have series of their own; the rest of it is summed up as `address="other"`. */
const maxPerPod = 50;

const states: readonly ChannelState[] = ["Listening", "Active", "Idle", "Blocked", "Stale", "Closed"];

/**
 * Channels as metrics. Labels are bounded: containers and addresses of the pod, never an address from outside
 * (clients and servers there are `outside`, told apart by port), at most 50 series of each metric per pod. Unknown
 * numbers have no sample.
 */
export function channelMetrics(
  channels: readonly Channel[],
  missing: readonly MissingEvidence[],
): readonly Metric[] {
  const bytes = new Sums();
  const operations = new Sums();
  const connections = new Sums();
  const open = new Sums();
  const blocked = new Sums();
  for (const [channel, labels] of labelled(channels)) {
    const { status } = channel;
    for (const direction of ["clientToServer", "serverToClient"] as const) {
      const traffic = status.traffic?.[direction];
      const directed = { ...labels, direction: direction === "clientToServer" ? "forward" : "back" };
      if (traffic?.bytes !== undefined) bytes.add(directed, traffic.bytes);
      if (traffic?.operations !== undefined) operations.add(directed, traffic.operations);
    }
    if (status.connections !== undefined) {
      connections.add(labels, status.connections.total);
      open.add(labels, status.connections.open);
    }
    blocked.add(labels, status.state === "Blocked" ? 1 : 0);
  }
  return [
    {
      name: "peapod_channel_bytes_total",
      type: "counter",
      help: "Bytes that went through a channel, forward as its arrow points and back.",
      samples: bytes.samples(),
    },
    {
      name: "peapod_channel_operations_total",
      type: "counter",
      help: "Datagrams, messages, calls or signals that went through a channel.",
      samples: operations.samples(),
    },
    {
      name: "peapod_channel_connections_total",
      type: "counter",
      help: "Answered connections of a channel.",
      samples: connections.samples(),
    },
    {
      name: "peapod_channel_open_connections",
      type: "gauge",
      help: "Connections of a channel that are open now.",
      samples: open.samples(),
    },
    {
      name: "peapod_channel_blocked",
      type: "gauge",
      help: "1 while one end of a channel waits for the other to do its part.",
      samples: blocked.samples(),
    },
    {
      name: "peapod_channels",
      type: "gauge",
      help: "Channels of a pod by state.",
      samples: countsByState(channels),
    },
    {
      name: "peapod_channel_evidence_missing",
      type: "gauge",
      help: "1 for each layer of evidence that this machine can not give.",
      samples: [...new Set(missing.map(({ layer }) => layer))].map((layer) => ({
        labels: { layer },
        value: 1,
      })),
    },
  ];
}

type Labels = Readonly<Record<string, string>>;

function* labelled(channels: readonly Channel[]): Generator<[Channel, Labels]> {
  const perPod = new Map<string, Set<string>>();
  for (const channel of channels) {
    const { spec, status, metadata } = channel;
    const known = perPod.get(spec.podUID) ?? new Set<string>();
    perPod.set(spec.podUID, known);
    const fromOutside = spec.scope === "Ingress" || spec.scope === "Egress";
    const side = (which: "from" | "to") =>
      channelEnds(
        status.endpoints.filter(({ container }) => container !== undefined || !fromOutside),
        which,
      ).join(",") || (status.endpoints.length > 1 && fromOutside ? "outside" : "");
    const address = fromOutside ? (spec.port === undefined ? spec.type : `:${spec.port}`) : spec.address;
    const pod = { namespace: metadata.namespace, pod: spec.pod };
    const own = { ...pod, type: spec.type, scope: spec.scope, from: side("from"), to: side("to"), address };
    const key = JSON.stringify(own);
    if (known.has(key) || known.size < maxPerPod) {
      known.add(key);
      yield [channel, own];
    } else {
      yield [channel, { ...pod, type: spec.type, scope: spec.scope, from: "", to: "", address: "other" }];
    }
  }
}

class Sums {
  readonly #sums = new Map<string, { labels: Labels; value: number }>();

  add(labels: Labels, value: number): void {
    const key = JSON.stringify(labels);
    const sum = this.#sums.get(key);
    if (sum === undefined) this.#sums.set(key, { labels, value });
    else sum.value += value;
  }

  samples(): Sample[] {
    return [...this.#sums.values()];
  }
}

function countsByState(channels: readonly Channel[]): Sample[] {
  const pods = new Map(channels.map(({ metadata, spec }) => [spec.podUID, { metadata, spec }]));
  return [...pods].flatMap(([uid, { metadata, spec }]) =>
    states.map((state) => ({
      labels: { namespace: metadata.namespace, pod: spec.pod, state },
      value: channels.filter((each) => each.spec.podUID === uid && each.status.state === state).length,
    })),
  );
}
