import { systemCallName } from "../host/waiting-calls.ts";
import { deepObject } from "./deep/transfers.ts";
import { type ChannelFact, distinctEndpoints, endpointOf, scopeWithin } from "./fact.ts";
import type { ObservedProcess, PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint } from "./types.ts";

/** POSIX message queues: descriptors on the queue file system, which all containers of the pod share. */
export function posixMessageQueueChannels(snapshot: PodSnapshot): ChannelFact[] {
  const queues = new Map<string, { name: string; ends: ChannelEndpoint[]; full: ObservedProcess[] }>();
  for (const process of snapshot.processes) {
    for (const { kind, identity, link, access, fd } of process.descriptors) {
      if (kind !== "queue" || identity === undefined) continue;
      const queue = queues.get(identity) ?? { name: link, ends: [], full: [] };
      const role = access === "read" ? "Receiver" : access === "write" ? "Sender" : "Peer";
      queue.ends.push(endpointOf(process, role));
      const waits = process.calls.some(
        ({ number, args }) => systemCallName(number) === "mq_timedsend" && Number(args[0]) === fd,
      );
      if (waits) queue.full.push(process);
      queues.set(identity, queue);
    }
  }
  return [...queues].map(([identity, { name, ends, full }]) => {
    const endpoints = distinctEndpoints(ends).sort(
      (a, b) => Number(b.role === "Sender") - Number(a.role === "Sender"),
    );
    const [blocked] = full;
    const deep = deepObject(snapshot, "queue", identity);
    return {
      key: `POSIXMessageQueue ${identity}`,
      type: "POSIXMessageQueue" as const,
      label: "mq",
      scope: endpoints.length === 1 ? ("IntraContainer" as const) : scopeWithin(endpoints),
      address: name,
      endpoints,
      condition: blocked === undefined ? ("Open" as const) : ("Blocked" as const),
      ...(blocked === undefined
        ? {}
        : { reason: `${blocked.container} waits in mq_send(3): the queue is full` }),
      readings: deep.readings,
      evidence: [
        ...deep.evidence,
        ...endpoints.map(({ container, process, role }) => ({
          source: "/proc/PID/fd",
          detail: `${container}: ${process} has the queue ${name} open (${role})`,
        })),
      ],
    };
  });
}
