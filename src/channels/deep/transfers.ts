import type { Reading } from "../fact.ts";
import type { PodSnapshot } from "../snapshot.ts";
import type { Evidence } from "../types.ts";
import type { DeepTransfer } from "./counts.ts";
import { deepEvidence } from "./evidence.ts";

/** What the deep look counted of one object that data goes into at one end and comes out of at the other. */
export interface DeepObject {
  readonly transfers: readonly DeepTransfer[];
  readonly readings: readonly Reading[];
  readonly evidence: readonly Evidence[];
}

/** Transfers of one kind of object, by its identity (FIFOs, POSIX queues) or number (pipes, System V queues). */
export function deepObject(
  snapshot: PodSnapshot,
  kind: "fifo" | "queue" | "pipe" | "message",
  id: string | number,
): DeepObject {
  const { deep } = snapshot;
  const transfers: DeepTransfer[] = [
    ...(deep?.files.filter((each) => each.kind === kind && each.identity === id) ?? []),
    ...(deep?.numbered.filter((each) => each.kind === kind && each.number === id) ?? []),
  ];
  if (deep === undefined || transfers.length === 0) return { transfers: [], readings: [], evidence: [] };
  // What goes in comes out. Where nobody in the pod's containers puts it in, what comes out is all that is known.
  const counted = transfers.some(({ direction }) => direction === "in") ? "in" : "out";
  const { since } = deep;
  return {
    transfers,
    readings: transfers
      .filter(({ direction }) => direction === counted)
      .map(({ container, bytes, operations }) => ({
        kind: "deep",
        id: container,
        since,
        clientToServer: { bytes, operations },
      })),
    evidence: transfers.map(({ container, direction, bytes, operations }) =>
      deepEvidence(
        since,
        `${container}: ${bytes} bytes ${direction === "in" ? "written" : "read"} in ${operations} calls`,
      ),
    ),
  };
}
