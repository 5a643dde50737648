import { fromKernelDevice } from "../../host/device-number.ts";
import type { Traffic } from "../types.ts";
import { deepMaps } from "./program.ts";

export type DeepMap = keyof typeof deepMaps;

/** One counter as bpftrace prints it: the cgroup is taken out of its key. */
export interface DeepRow {
  readonly map: DeepMap;
  /** Inode of the version 2 cgroup of the process that did it. */
  readonly cgroup: number;
  readonly key: readonly string[];
  readonly value: number;
}

/** Parses a line of `bpftrace -f json`: the rows of one map, "tick" at the end of a second, or nothing of interest. */
export function parseTracerLine(line: string): readonly DeepRow[] | "tick" {
  const { type, data } = JSON.parse(line) as { type: string; data: unknown };
  if (type === "printf" && data === "tick\n") return "tick";
  if (type !== "map") return [];
  return Object.entries(data as Record<string, Record<string, number>>).flatMap(([name, rows]) => {
    const map = name.slice(1) as DeepMap;
    if (deepMaps[map] === undefined) return [];
    return Object.entries(rows).map(([text, value]) => {
      const [cgroup = "", ...key] = splitKey(text, deepMaps[map]);
      return { map, cgroup: Number(cgroup), key, value };
    });
  });
}

/** The last part is a name where there is one, and may hold commas itself. */
function splitKey(text: string, parts: number): string[] {
  const words = text.split(",");
  return [...words.slice(0, parts - 1), words.slice(parts - 1).join(",")];
}

/** What was counted of one pod since {@link DeepCounts.since}, by container. */
export interface DeepCounts {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** FIFOs and POSIX message queues, by the identity of their file. */
  readonly files: readonly (DeepTransfer & { readonly kind: "fifo" | "queue"; readonly identity: string })[];
  /** Anonymous pipes by inode, System V message queues by id. */
  readonly numbered: readonly (DeepTransfer & {
    readonly kind: "pipe" | "message";
    readonly number: number;
  })[];
  readonly semaphores: readonly {
    readonly container: string;
    readonly id: number;
    readonly posts: number;
    readonly waits: number;
  }[];
  /** Clients of Unix sockets. */
  readonly unix: readonly DeepUnixClient[];
  readonly datagrams: readonly DeepDatagrams[];
  readonly signals: readonly DeepSignal[];
}

/** What one container did in one direction. */
export interface DeepTransfer extends Required<Traffic> {
  readonly container: string;
  /** Into the channel, or out of it. */
  readonly direction: "in" | "out";
}

/** Traffic of one container with the server of a connected Unix socket. */
export interface DeepUnixClient {
  readonly container: string;
  readonly type: "stream" | "datagram" | "seqpacket";
  /** Of the socket's file; undefined for abstract names, and once the server's end is closed. */
  readonly identity: string | undefined;
  /** As the server's container knows it, or `@name`. */
  readonly name: string;
  readonly connections: number;
  readonly sent: Required<Traffic>;
  readonly received: Required<Traffic>;
}

/** What one container sent without connect(2). */
export interface DeepDatagrams extends Required<Traffic> {
  readonly container: string;
  readonly to: { readonly path: string } | { readonly address: string; readonly port: number };
}

export interface DeepSignal {
  readonly container: string;
  readonly pid: number;
  readonly targetContainer: string;
  readonly targetPID: number;
  readonly signal: number;
  readonly count: number;
}

const socketTypes: Readonly<Record<string, DeepUnixClient["type"]>> = {
  "1": "stream",
  "2": "datagram",
  "5": "seqpacket",
};

/** `device:inode` as stat(2) numbers devices; undefined where there is no file. */
function identityOf(kernelDevice: string | undefined, inode: string | undefined): string | undefined {
  if (inode === undefined || inode === "0") return undefined;
  return `${fromKernelDevice(Number(kernelDevice))}:${inode}`;
}

function nameOf(abstract: string | undefined, name: string | undefined): string {
  return abstract === "1" ? `@${name ?? ""}` : (name ?? "");
}

/**
 * Sorts the rows of one pod out. `containerOf` and `ownerOf` tell the container of a cgroup and of a process of
 * this pod; rows of others are left out.
 */
export function deepCounts(
  rows: Iterable<DeepRow>,
  since: number,
  containerOf: (cgroup: number) => string | undefined,
  ownerOf: (pid: number) => string | undefined,
): DeepCounts {
  const files = new Sums<Omit<DeepCounts["files"][number], "bytes" | "operations">>();
  const numbered = new Sums<Omit<DeepCounts["numbered"][number], "bytes" | "operations">>();
  const sent = new Sums<UnixKey>();
  const received = new Sums<UnixKey>();
  const connects = new Sums<UnixKey>();
  const datagrams = new Sums<Pick<DeepDatagrams, "container" | "to">>();
  const semaphores = new Map<string, { container: string; id: number; posts: number; waits: number }>();
  const signals: DeepSignal[] = [];

  for (const { map, cgroup, key, value } of rows) {
    const container = containerOf(cgroup);
    if (container === undefined) continue;
    const measure = map.endsWith("bytes") ? "bytes" : "operations";
    const [first = "", second = "", third = "", fourth, fifth, sixth] = key;
    const direction = first === "send" || first === "write" ? ("in" as const) : ("out" as const);
    switch (map) {
      case "fifo_bytes":
      case "fifo_calls":
      case "queue_bytes":
      case "queue_calls": {
        const identity = identityOf(second, third);
        const kind = map.startsWith("fifo") ? ("fifo" as const) : ("queue" as const);
        if (identity !== undefined) files.add({ kind, container, direction, identity }, measure, value);
        break;
      }
      case "pipe_bytes":
      case "pipe_calls":
      case "message_bytes":
      case "message_calls": {
        const kind = map.startsWith("pipe") ? ("pipe" as const) : ("message" as const);
        numbered.add({ kind, container, direction, number: Number(second) }, measure, value);
        break;
      }
      case "unix_bytes":
      case "unix_calls": {
        const type = socketTypes[second] ?? "stream";
        const client = { container, type, identity: identityOf(third, fourth), name: nameOf(fifth, sixth) };
        (first === "send" ? sent : received).add(client, measure, value);
        break;
      }
      case "unix_connects": {
        const type = socketTypes[first] ?? "stream";
        const client = { container, type, identity: identityOf(second, third), name: nameOf(fourth, fifth) };
        connects.add(client, "operations", value);
        break;
      }
      case "unix_datagram_bytes":
      case "unix_datagram_calls":
        datagrams.add({ container, to: { path: nameOf(first, second) } }, measure, value);
        break;
      case "udp_bytes":
      case "udp_calls":
        datagrams.add({ container, to: { address: second, port: Number(first) } }, measure, value);
        break;
      case "semaphore_calls": {
        const set = semaphores.get(`${container} ${second}`) ?? {
          container,
          id: Number(second),
          posts: 0,
          waits: 0,
        };
        if (first === "post") set.posts += value;
        else set.waits += value;
        semaphores.set(`${container} ${second}`, set);
        break;
      }
      case "signals": {
        const targetContainer = ownerOf(Number(second));
        if (targetContainer === undefined) break;
        const pids = { pid: Number(first), targetPID: Number(second) };
        signals.push({ container, targetContainer, ...pids, signal: Number(third), count: value });
        break;
      }
    }
  }
  return {
    since,
    files: files.all(),
    numbered: numbered.all(),
    semaphores: [...semaphores.values()],
    unix: unixClients(sent, received, connects),
    datagrams: datagrams.all(),
    signals,
  };
}

type UnixKey = Pick<DeepUnixClient, "container" | "type" | "identity" | "name">;

/** Sums by what they are of, which is told by value. */
class Sums<Key extends object> {
  readonly #sums = new Map<string, Key & { bytes: number; operations: number }>();

  add(key: Key, measure: "bytes" | "operations", value: number): void {
    const text = JSON.stringify(key);
    const sum = this.#sums.get(text) ?? { ...key, bytes: 0, operations: 0 };
    sum[measure] += value;
    this.#sums.set(text, sum);
  }

  find(key: Key): Required<Traffic> {
    const { bytes = 0, operations = 0 } = this.#sums.get(JSON.stringify(key)) ?? {};
    return { bytes, operations };
  }

  all(): (Key & { bytes: number; operations: number })[] {
    return [...this.#sums.values()];
  }
}

function unixClients(...[sent, received, connects]: Sums<UnixKey>[]): DeepUnixClient[] {
  const keys = new Map<string, UnixKey>();
  for (const sums of [sent, received, connects]) {
    for (const { container, type, identity, name } of sums?.all() ?? []) {
      const key = { container, type, identity, name };
      keys.set(JSON.stringify(key), key);
    }
  }
  const none = { bytes: 0, operations: 0 };
  return [...keys.values()].map((key) => ({
    ...key,
    connections: connects?.find(key).operations ?? 0,
    sent: sent?.find(key) ?? none,
    received: received?.find(key) ?? none,
  }));
}
