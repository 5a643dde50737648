import { closeSync, ftruncateSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { BlockingCalls } from "../host/blocking-calls.ts";
import type { Link } from "./link.ts";
import { Ring, ringLength } from "./ring.ts";
import type { Kind } from "./types.ts";

/** Where both ends find each other: a folder that both have, and a name in /dev/shm. */
export interface MeetingPlace {
  readonly folder: string;
  readonly sharedMemory: string;
}

/** The serving end of one kind. */
export interface Listener {
  /** Of `tcp`. */
  readonly port: number | undefined;
  /** Before each client: nothing of the one before may be left. */
  prepare(): void;
  /** Waits for a client. */
  accept(): Link;
}

/** Makes what a client of the kind can connect to. {@link forget} removes it all. */
export function listenFor(kind: Kind, place: MeetingPlace, calls: BlockingCalls): Listener {
  if (kind === "fifo") {
    const paths = fifoPaths(place);
    for (const path of paths) calls.makeFifo(path);
    return {
      port: undefined,
      prepare() {},
      accept: () => fifoLink(calls.open(paths[0], "read"), calls.open(paths[1], "write"), calls),
    };
  }
  if (kind === "tcp" || kind === "unix") {
    const wanted =
      kind === "tcp" ? ({ kind, port: 0 } as const) : ({ kind, path: join(place.folder, "socket") } as const);
    const { fd, address } = calls.listen(wanted);
    return {
      port: address.kind === "tcp" ? address.port : undefined,
      prepare() {},
      accept: () => socketLink(calls.accept(fd), calls),
    };
  }
  const rings = mapRings(kind, place, calls);
  return {
    port: undefined,
    prepare: () => {
      for (const ring of rings) ring.reset();
    },
    accept: () => ringLink(rings[0], rings[1]),
  };
}

/** Connects to a listener of the kind that is ready. `port` is that of its answer. */
export function connectTo(
  kind: Kind,
  place: MeetingPlace,
  port: number | undefined,
  calls: BlockingCalls,
): Link {
  if (kind === "fifo") {
    const [toServer, toClient] = fifoPaths(place);
    const out = calls.open(toServer, "write");
    return fifoLink(calls.open(toClient, "read"), out, calls);
  }
  if (kind === "tcp") return socketLink(calls.connect({ kind, port: port ?? 0 }), calls);
  if (kind === "unix") return socketLink(calls.connect({ kind, path: join(place.folder, "socket") }), calls);
  const rings = mapRings(kind, place, calls);
  return ringLink(rings[1], rings[0]);
}

/** Removes what both ends used. */
export function forget({ folder, sharedMemory }: MeetingPlace): void {
  rmSync(sharedMemory, { force: true });
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // A container's is a mount and goes with the pod.
  }
}

function fifoPaths({ folder }: MeetingPlace): readonly [string, string] {
  return [join(folder, "to-server"), join(folder, "to-client")];
}

function socketLink(fd: number, calls: BlockingCalls): Link {
  return {
    write: (bytes) => calls.write(fd, bytes),
    read: (bytes) => calls.read(fd, bytes, bytes.length),
    endWriting: () => calls.endWriting(fd),
    close: () => calls.close(fd),
  };
}

function fifoLink(input: number, output: number, calls: BlockingCalls): Link {
  let open = [input, output];
  const close = (fd: number) => {
    if (open.includes(fd)) calls.close(fd);
    open = open.filter((each) => each !== fd);
  };
  return {
    write: (bytes) => calls.write(output, bytes),
    read: (bytes) => calls.read(input, bytes, bytes.length),
    endWriting: () => close(output),
    close() {
      close(input);
      close(output);
    },
  };
}

const mapped = new Map<string, readonly [Ring, Ring]>();

/** The ring to the server and the ring to the client; mapped once. */
function mapRings(kind: Kind, { sharedMemory }: MeetingPlace, calls: BlockingCalls): readonly [Ring, Ring] {
  const known = mapped.get(kind);
  if (known !== undefined) return known;
  const fd = openSync(sharedMemory, "a+", 0o600);
  ftruncateSync(fd, 2 * ringLength);
  const readable = calls.open(sharedMemory, "both");
  const region = calls.mapShared(readable, 2 * ringLength);
  calls.close(readable);
  closeSync(fd);
  const spin = kind === "shm-spin" ? () => calls.yieldCPU() : undefined;
  const rings = [new Ring(region, 0, spin), new Ring(region, ringLength, spin)] as const;
  mapped.set(kind, rings);
  return rings;
}

function ringLink(input: Ring, output: Ring): Link {
  return {
    write: (bytes) => output.write(bytes),
    read: (bytes) => input.read(bytes),
    endWriting: () => output.end(),
    close: () => output.end(),
  };
}
