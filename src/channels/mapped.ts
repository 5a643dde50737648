import { endpointOf, type Party } from "./fact.ts";
import type { ChannelEndpoint } from "./types.ts";

/** A process that shares memory or a file, and whether it may change it. */
export interface Sharer<Process extends Party = Party> {
  readonly process: Process;
  readonly writes: boolean;
  readonly path?: string;
}

/**
 * Endpoints of memory that several share, one per container. Who writes can't be seen, only who may: where some
 * may and others may not, those are writers and these readers; else all are peers.
 */
export function sharerEndpoints(sharers: readonly Sharer[]): ChannelEndpoint[] {
  const byContainer = new Map<string, Sharer>();
  for (const sharer of sharers) {
    const { container } = sharer.process;
    const present = byContainer.get(container);
    if (present === undefined) byContainer.set(container, sharer);
    else if (sharer.writes && !present.writes) byContainer.set(container, { ...present, writes: true });
  }
  const all = [...byContainer.values()];
  const mixed = all.some(({ writes }) => writes) && all.some(({ writes }) => !writes);
  return all
    .sort((a, b) => Number(b.writes) - Number(a.writes))
    .map(({ process, writes, path }) =>
      endpointOf(process, mixed ? (writes ? "Writer" : "Reader") : "Peer", path),
    );
}
