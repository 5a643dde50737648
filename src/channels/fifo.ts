import { systemCallName } from "../host/waiting-calls.ts";
import { deepObject } from "./deep/transfers.ts";
import { type ChannelFact, distinctEndpoints, scopeWithin } from "./fact.ts";
import type { Access, Descriptor, ObservedProcess, OpenUse, PodFile, PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint, EndpointRole, Evidence } from "./types.ts";
import { pathInContainer, volumePath } from "./volume-paths.ts";

/** A process that has the FIFO open, waits to open it, or had it open a moment ago. */
interface Use {
  readonly container: string;
  readonly access: Access;
  readonly endpoint: ChannelEndpoint;
  readonly how: "open" | "opening" | "event";
  readonly waits: "read" | "write" | undefined;
  /** When an event told so, in milliseconds since the epoch. */
  readonly at?: number;
  readonly evidence: Evidence;
}

/** Who opened the other end lately will do so again: `while true; do cat pipe; done` waits for the next message. */
const turnMilliseconds = 10_000;

/**
 * FIFOs, each one channel, told apart by device and inode: the same in every mount namespace, whatever the path.
 * Descriptors tell who has it open now, threads that wait in open(2) who misses the other end, and events who had
 * it open between two looks.
 */
export function fifoChannels(snapshot: PodSnapshot): ChannelFact[] {
  const uses = new Map<string, Use[]>();
  const add = (identity: string, use: Use) => {
    const present = uses.get(identity);
    if (present === undefined) uses.set(identity, [use]);
    else present.push(use);
  };
  for (const process of snapshot.processes) {
    for (const descriptor of process.descriptors) {
      if (descriptor.kind !== "fifo" || descriptor.identity === undefined) continue;
      add(descriptor.identity, heldUse(snapshot, process, descriptor));
    }
  }
  for (const { process, identity, access, path } of snapshot.waitingOpens) {
    add(identity, {
      container: process.container,
      access,
      how: "opening",
      waits: undefined,
      endpoint: endpoint(snapshot, identity, access, process, path),
      evidence: {
        source: "/proc/PID/task/TID/syscall",
        detail: `${process.container}: ${process.name} waits in open(2) of ${path} to ${access}`,
      },
    });
  }
  for (const use of passingUses(snapshot)) {
    const { container, access, pid, hostPID, process, at } = use;
    add(use.identity, {
      container,
      access,
      how: "event",
      waits: undefined,
      at,
      endpoint: endpoint(
        snapshot,
        use.identity,
        access,
        { container, pid, hostPID, name: process },
        undefined,
      ),
      evidence: {
        source: "fanotify",
        detail: `${container}: ${process ?? `PID ${hostPID}`} opened it to ${access} and closed it`,
      },
    });
  }
  for (const use of deepUses(snapshot)) add(use.identity, use);
  return [...uses].map(([identity, each]) => fifoFact(snapshot, identity, each));
}

/** Who had it open for an instant: events of the FIFOs name processes, those of the containers' mounts miss nobody. */
function passingUses({ fifoUses, fileUses, files }: PodSnapshot): OpenUse[] {
  const there = new Set(files.filter(({ kind }) => kind === "fifo").map(({ identity }) => identity));
  const byMount = fileUses.filter(({ kind, identity }) => kind === "fifo" && there.has(identity));
  const key = ({ identity, container, access }: OpenUse) => `${identity} ${container} ${access}`;
  // Later ones win, and a named one is the best.
  return [...new Map([...byMount, ...fifoUses].map((use) => [key(use), use])).values()];
}

/** Who wrote or read while nobody looked. */
function deepUses(snapshot: PodSnapshot): (Use & { identity: string })[] {
  const fifos = snapshot.deep?.files.filter(({ kind }) => kind === "fifo") ?? [];
  return fifos.flatMap(({ identity, container, direction }) => {
    const access = direction === "in" ? "write" : "read";
    const label = fileOf(snapshot, identity)?.label;
    const path = label === undefined ? undefined : pathInContainer(snapshot.pod, container, label);
    const evidence = deepObject(snapshot, "fifo", identity).evidence.find(({ detail }) =>
      detail.startsWith(`${container}: `),
    );
    if (evidence === undefined) return [];
    const endpoint = { container, role: roles[access], ...(path === undefined ? {} : { path }) };
    return [{ identity, container, access, how: "event", waits: undefined, endpoint, evidence }];
  });
}

function fileOf(snapshot: PodSnapshot, identity: string): PodFile | undefined {
  return snapshot.files.find((file) => file.kind === "fifo" && file.identity === identity);
}

const roles: Record<Access, EndpointRole> = { read: "Reader", write: "Writer", both: "Peer" };

function endpoint(
  snapshot: PodSnapshot,
  identity: string,
  access: Access,
  process: { container: string; pid: number | undefined; hostPID: number; name: string | undefined },
  path: string | undefined,
): ChannelEndpoint {
  const label = fileOf(snapshot, identity)?.label;
  const known = path ?? (label && pathInContainer(snapshot.pod, process.container, label));
  return {
    container: process.container,
    role: roles[access],
    ...(process.pid === undefined ? {} : { pid: process.pid }),
    hostPID: process.hostPID,
    ...(process.name === undefined ? {} : { process: process.name }),
    ...(known === undefined ? {} : { path: known }),
  };
}

function heldUse(snapshot: PodSnapshot, process: ObservedProcess, descriptor: Descriptor): Use {
  const access = descriptor.access ?? "both";
  const waits = process.calls
    .filter(({ args }) => Number(args[0]) === descriptor.fd)
    .map(({ number }) => systemCallName(number))
    .map((name) => (name?.startsWith("read") ? "read" : name?.startsWith("write") ? "write" : undefined))
    .find((name) => name !== undefined);
  return {
    container: process.container,
    access,
    how: "open",
    waits,
    endpoint: endpoint(snapshot, descriptor.identity ?? "", access, process, descriptor.link),
    evidence: {
      source: "/proc/PID/fd",
      detail: `${process.container}: ${process.name} has descriptor ${descriptor.fd} on ${descriptor.link} to ${access}`,
    },
  };
}

function fifoFact(snapshot: PodSnapshot, identity: string, uses: readonly Use[]): ChannelFact {
  const file = fileOf(snapshot, identity);
  const order: Record<EndpointRole, number> = {
    Writer: 0,
    Peer: 1,
    Reader: 2,
    Server: 3,
    Client: 3,
    Sender: 3,
    Receiver: 3,
  };
  // What is open now says more of a party than what an event told.
  const endpoints = distinctEndpoints(uses.map((use) => use.endpoint)).sort(
    (a, b) => order[a.role] - order[b.role],
  );
  const address =
    file?.label ??
    uses
      .map(
        ({ container, endpoint: { path } }) =>
          path && (volumePath(snapshot.pod, container, path)?.label ?? path),
      )
      .find((path) => path !== undefined) ??
    identity;
  const blocked = blockedReason(snapshot, uses);
  const deep = deepObject(snapshot, "fifo", identity);
  return {
    key: `FIFO ${identity}`,
    type: "FIFO",
    label: "fifo",
    scope: scopeWithin(endpoints),
    address,
    endpoints,
    condition: blocked === undefined ? "Open" : "Blocked",
    ...(blocked === undefined ? {} : { reason: blocked }),
    activity: `${file?.modifiedAt ?? ""}`,
    readings: deep.readings,
    evidence: [...deep.evidence, ...uses.map(({ evidence }) => evidence)],
  };
}

function blockedReason({ pod, takenAt }: PodSnapshot, uses: readonly Use[]): string | undefined {
  const held = uses.filter(({ how }) => how === "open");
  const runs = (name: string) => pod.containers.some((container) => container.name === name);
  const lately = uses.filter(
    ({ at, container }) => at !== undefined && takenAt - at < turnMilliseconds && runs(container),
  );
  for (const { how, access, container } of uses) {
    if (how !== "opening" || lately.some((use) => use.access !== access)) continue;
    // A thread that waits while the other end is open is just about to go on.
    if (access === "write" && !held.some((use) => use.access !== "write")) {
      return `${container} waits in open(2) to write: no reader has the FIFO open`;
    }
    if (access === "read" && !held.some((use) => use.access !== "read")) {
      return `${container} waits in open(2) to read: no writer has the FIFO open`;
    }
  }
  const full = held.find(({ waits }) => waits === "write");
  return full === undefined ? undefined : `${full.container} waits in write(2): the FIFO is full`;
}
