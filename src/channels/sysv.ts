import { systemCallName } from "../host/waiting-calls.ts";
import { deepEvidence } from "./deep/evidence.ts";
import { deepObject } from "./deep/transfers.ts";
import { type ChannelFact, distinctEndpoints, endpointOf, scopeWithin } from "./fact.ts";
import { type Sharer, sharerEndpoints } from "./mapped.ts";
import type { ObservedProcess, PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint } from "./types.ts";

function keyText(key: number): string {
  return `0x${(key >>> 0).toString(16).padStart(8, "0")}`;
}

/** `key 0x0000162e id 3`; a private segment has no key that anybody could ask for. */
function addressOf(key: number, id: number): string {
  return key === 0 ? `private id ${id}` : `key ${keyText(key)} id ${id}`;
}

/**
 * System V shared memory: who has a segment attached is in their maps, where the inode is the segment's id. The
 * kernel keeps no count of what is written; the PIDs of creator and last user tell who came before this look.
 */
export function sharedMemoryChannels(snapshot: PodSnapshot): ChannelFact[] {
  const sharers = new Map<number, Sharer[]>();
  const sizes = new Map<number, { size: number; key: number }>();
  for (const process of snapshot.processes) {
    for (const mapping of process.mappings) {
      const key = /^\/SYSV([0-9a-f]+)/.exec(mapping.path)?.[1];
      if (key === undefined) continue;
      const id = Number(mapping.inode);
      sharers.set(id, [...(sharers.get(id) ?? []), { process, writes: mapping.writable }]);
      sizes.set(id, { size: Number(mapping.end - mapping.start), key: Number.parseInt(key, 16) });
    }
  }
  const segments = new Map(snapshot.sharedMemory.map((segment) => [segment.id, segment]));
  const byPID = new Map(snapshot.processes.map((process) => [process.hostPID, process]));
  return [...new Set([...sharers.keys(), ...segments.keys()])].flatMap((id) => {
    const segment = segments.get(id);
    const attached = sharers.get(id) ?? [];
    const earlier = [segment?.creator, segment?.lastOperator].flatMap((pid): Sharer[] => {
      const process = byPID.get(pid ?? 0);
      const here = attached.some((sharer) => sharer.process.container === process?.container);
      return process === undefined || here ? [] : [{ process, writes: true }];
    });
    const endpoints = sharerEndpoints([...attached, ...earlier]);
    if (endpoints.length === 0) return [];
    const key = segment?.key ?? sizes.get(id)?.key ?? 0;
    return [
      {
        key: `SysVSharedMemory ${keyText(key)} ${id}`,
        type: "SysVSharedMemory" as const,
        label: "shm",
        scope: scopeOfShared(endpoints),
        address: addressOf(key, id),
        size: segment?.size ?? sizes.get(id)?.size ?? 0,
        endpoints,
        condition: "Open" as const,
        activity: `${segment?.lastOperator ?? ""} ${segment?.attached ?? ""}`,
        readings: [],
        evidence: [
          ...attached.map(({ process, writes }) => ({
            source: "/proc/PID/maps",
            detail: `${process.container}: ${process.name} has it attached ${writes ? "to read and write" : "to read"}`,
          })),
          ...(segment === undefined
            ? []
            : [
                {
                  source: "/proc/sysvipc/shm",
                  detail: `attached ${segment.attached} times, created by PID ${segment.creator}, last used by PID ${segment.lastOperator}`,
                },
              ]),
        ],
      },
    ];
  });
}

/** Memory that a single container has is nobody else's business yet. */
function scopeOfShared(endpoints: readonly ChannelEndpoint[]): "IntraContainer" | "InterContainer" {
  return endpoints.length === 1 || scopeWithin(endpoints) === "IntraContainer"
    ? "IntraContainer"
    : "InterContainer";
}

/** The processes that wait in one of these system calls with this id as the first argument. */
function waitingIn(snapshot: PodSnapshot, names: readonly string[], id: number): ObservedProcess[] {
  return snapshot.processes.filter(({ calls }) =>
    calls.some(({ number, args }) => names.includes(systemCallName(number) ?? "") && Number(args[0]) === id),
  );
}

/** System V semaphores: the kernel remembers who operated last on each, and a waiter stands in semop(2). */
export function semaphoreChannels(snapshot: PodSnapshot): ChannelFact[] {
  const byPID = new Map(snapshot.processes.map((process) => [process.hostPID, process]));
  return snapshot.semaphores.flatMap(({ id, key, operatedAt }) => {
    const waiting = waitingIn(snapshot, ["semop", "semtimedop"], id);
    const operators = (snapshot.semaphoreOperators.get(id) ?? []).flatMap((pid) => byPID.get(pid) ?? []);
    const { deep } = snapshot;
    const counted = deep?.semaphores.filter((each) => each.id === id) ?? [];
    const endpoints = semaphoreEndpoints(
      [...operators, ...waiting].map((process) => endpointOf(process, "Peer")),
      counted,
    );
    if (endpoints.length === 0) return [];
    return [
      {
        key: `SysVSemaphore ${keyText(key)} ${id}`,
        type: "SysVSemaphore" as const,
        label: "sem",
        scope: scopeOfShared(endpoints),
        address: addressOf(key, id),
        endpoints,
        condition: "Open" as const,
        activity: `${operatedAt}`,
        readings: [],
        evidence: [
          ...counted.map(({ container, posts, waits }) =>
            deepEvidence(
              deep?.since ?? 0,
              `${container}: raised ${posts} times, lowered or tried ${waits} times`,
            ),
          ),
          ...waiting.map((process) => ({
            source: "/proc/PID/task/TID/syscall",
            detail: `${process.container}: ${process.name} waits in semop(2)`,
          })),
          ...operators.map((process) => ({
            source: "semctl",
            detail: `${process.container}: ${process.name} operated on it last`,
          })),
        ],
      },
    ];
  });
}

/** Who only raises it is a sender, who only waits a receiver; without counts nobody can tell. */
function semaphoreEndpoints(
  seen: readonly ChannelEndpoint[],
  counted: readonly { container: string; posts: number; waits: number }[],
): ChannelEndpoint[] {
  const all = [...seen, ...counted.map(({ container }): ChannelEndpoint => ({ container, role: "Peer" }))];
  const known = distinctEndpoints(all).map((end) => {
    const { posts = 0, waits = 0 } = counted.find(({ container }) => container === end.container) ?? {};
    if (posts > 0 === waits > 0) return end;
    return { ...end, role: posts > 0 ? ("Sender" as const) : ("Receiver" as const) };
  });
  return known.sort((a, b) => Number(a.role === "Receiver") - Number(b.role === "Receiver"));
}

/** System V message queues: the kernel remembers the last sender and the last receiver. */
export function messageQueueChannels(snapshot: PodSnapshot): ChannelFact[] {
  const byPID = new Map(snapshot.processes.map((process) => [process.hostPID, process]));
  return snapshot.messageQueues.flatMap((queue) => {
    const { id, key } = queue;
    const sending = waitingIn(snapshot, ["msgsnd"], id);
    const receiving = waitingIn(snapshot, ["msgrcv"], id);
    const last = (pid: number) => byPID.get(pid) ?? [];
    const deep = deepObject(snapshot, "message", id);
    const endpoints = distinctEndpoints([
      ...[...sending, last(queue.lastSender)].flat().map((process) => endpointOf(process, "Sender")),
      ...[...receiving, last(queue.lastReceiver)].flat().map((process) => endpointOf(process, "Receiver")),
      ...deep.transfers.map(
        ({ container, direction }): ChannelEndpoint => ({
          container,
          role: direction === "in" ? "Sender" : "Receiver",
        }),
      ),
    ]).sort((a, b) => Number(a.role === "Receiver") - Number(b.role === "Receiver"));
    if (endpoints.length === 0) return [];
    const [full] = sending;
    return [
      {
        key: `SysVMessageQueue ${keyText(key)} ${id}`,
        type: "SysVMessageQueue" as const,
        label: "msg",
        scope: scopeOfShared(endpoints),
        address: addressOf(key, id),
        endpoints,
        condition: full === undefined ? ("Open" as const) : ("Blocked" as const),
        ...(full === undefined
          ? {}
          : { reason: `${full.container} waits in msgsnd(2): ${queue.bytes} bytes are queued` }),
        activity: `${queue.sentAt} ${queue.receivedAt} ${queue.messages}`,
        readings: deep.readings,
        evidence: [
          ...deep.evidence,
          {
            source: "/proc/sysvipc/msg",
            detail: `${queue.messages} messages queued; last sent by PID ${queue.lastSender}, last received by PID ${queue.lastReceiver}`,
          },
        ],
      },
    ];
  });
}
