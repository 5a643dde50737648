import { constants } from "node:os";
import { deepEvidence } from "./deep/evidence.ts";
import { type ChannelFact, endpointOf, scopeWithin } from "./fact.ts";
import type { PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint } from "./types.ts";

const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/**
 * Signals that one process sent to another: only the deep look sees them. Between containers they need a PID
 * namespace that these share (`shareProcessNamespace`).
 */
export function signalChannels(snapshot: PodSnapshot): ChannelFact[] {
  const { deep } = snapshot;
  if (deep === undefined) return [];
  const byPID = new Map(snapshot.processes.map((process) => [process.hostPID, process]));
  const end = (container: string, pid: number, role: "Sender" | "Receiver"): ChannelEndpoint => {
    const process = byPID.get(pid);
    return process === undefined ? { container, role, hostPID: pid } : endpointOf(process, role);
  };
  const facts = new Map<string, ChannelFact & { count: number }>();
  for (const { container, pid, targetContainer, targetPID, signal, count } of deep.signals) {
    const name = names.get(signal) ?? `signal ${signal}`;
    const key = `Signal ${signal} ${container} ${targetContainer}`;
    const before = facts.get(key);
    const total = (before?.count ?? 0) + count;
    const endpoints = [end(container, pid, "Sender"), end(targetContainer, targetPID, "Receiver")];
    facts.set(key, {
      key,
      type: "Signal",
      label: "signal",
      scope: scopeWithin(endpoints),
      address: name,
      endpoints,
      condition: "Open",
      activity: `${total}`,
      count: total,
      readings: [{ kind: "deep", id: key, since: deep.since, clientToServer: { operations: total } }],
      evidence: [deepEvidence(deep.since, `${container} sent ${name} to ${targetContainer} ${total} times`)],
    });
  }
  return [...facts.values()];
}
