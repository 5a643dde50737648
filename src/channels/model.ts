import { createHash } from "node:crypto";
import { kubernetesTime } from "../base/clock.ts";
import type { ChannelFact } from "./fact.ts";
import { Totals } from "./totals.ts";
import type { Channel, ChannelEndpoint, ChannelState, ChannelType, ObservedPod } from "./types.ts";

/** How long after data last moved a channel still counts as active. */
const activeMilliseconds = 10_000;
/** How long a channel that is gone stays in the list, and how many of them per pod. */
const closedMilliseconds = 600_000;
const maxClosed = 100;
/** How long an attempt counts after it was made. */
const fleetingMilliseconds = 60_000;
const maxEvidence = 12;

/** One object for all parties: they come and go while it stays, so the parties of earlier looks still count. */
const objects: readonly ChannelType[] = [
  "FIFO",
  "SysVSharedMemory",
  "SysVSemaphore",
  "SysVMessageQueue",
  "POSIXSharedMemory",
  "POSIXSemaphore",
  "POSIXMessageQueue",
];
/** Of those, the ones where a container can have two roles. */
const directed: readonly ChannelType[] = ["FIFO", "SysVMessageQueue", "POSIXMessageQueue"];

interface Entry {
  fact: ChannelFact;
  readonly name: string;
  readonly totals: Totals;
  readonly firstSeen: number;
  lastSeen: number;
  /** When `activity` last changed. */
  movedAt: number;
  closed: boolean;
}

/** All channels of one pod over time: what was merged from every look since the pod came. */
export class PodChannels {
  readonly #entries = new Map<string, Entry>();
  readonly #names = new Set<string>();
  /** Attempts that are over, with the activity that they had: until it changes they are not news. */
  readonly #over = new Map<string, string | undefined>();

  /** Takes in what one look saw. Facts with the same key must have been merged before. */
  update(pod: ObservedPod, facts: readonly ChannelFact[], now: number): void {
    const present = new Set<string>();
    const [ofGroups = [], single = []] = [true, false].map((whole) =>
      facts.filter(({ wholeGroup = false }) => wholeGroup === whole),
    );
    this.#take(pod, single, present, now);
    this.#take(
      pod,
      ofGroups.filter((fact) => !this.#isAccountedFor(fact)),
      present,
      now,
    );
    this.#close(present, now);
  }

  /** Whether the single channels of the group, with those that are closed, had all of its connections. */
  #isAccountedFor({ key, group, readings }: ChannelFact): boolean {
    const all = readings.reduce((sum, { connections = 0 }) => sum + connections, 0);
    const single = [...this.#entries.values()].filter(({ fact }) => fact.group === group && fact.key !== key);
    return single.length > 0 && single.reduce((sum, { totals }) => sum + totals.connections, 0) >= all;
  }

  #take(pod: ObservedPod, facts: readonly ChannelFact[], present: Set<string>, now: number): void {
    for (const fact of facts) {
      const entry = this.#entries.get(fact.key);
      if (this.#over.has(fact.key) && this.#over.get(fact.key) === fact.activity) continue;
      this.#over.delete(fact.key);
      const movedAt =
        entry === undefined || entry.closed || entry.fact.activity !== fact.activity ? now : entry.movedAt;
      if (fact.fleeting === true && now - movedAt > fleetingMilliseconds) {
        this.#over.set(fact.key, fact.activity);
        continue;
      }
      present.add(fact.key);
      if (entry === undefined) {
        this.#entries.set(fact.key, this.#newEntry(pod, fact, now));
        continue;
      }
      entry.fact = mergeOverTime(entry.fact, fact);
      entry.lastSeen = now;
      entry.movedAt = movedAt;
      entry.closed = false;
      entry.totals.update(fact.readings, now);
    }
  }

  #newEntry(pod: ObservedPod, fact: ChannelFact, now: number): Entry {
    const totals = new Totals();
    totals.update(fact.readings, now);
    const name = this.#nameOf(pod, fact);
    return { fact, name, totals, firstSeen: now, lastSeen: now, movedAt: now, closed: false };
  }

  /** The same for the same channel also after a restart of the daemon; longer only where two would be equal. */
  #nameOf(pod: ObservedPod, fact: ChannelFact): string {
    const hash = createHash("sha256").update(`${pod.uid} ${fact.key}`).digest("hex");
    for (let length = 4; ; length += 4) {
      const suffix = `-${fact.label}-${hash.slice(0, length)}`;
      // A name is at most 253 characters (RFC 1123 subdomain).
      const name = `${pod.name.slice(0, 253 - suffix.length)}${suffix}`;
      if (this.#names.has(name)) continue;
      this.#names.add(name);
      return name;
    }
  }

  #close(present: ReadonlySet<string>, now: number): void {
    for (const [key, entry] of this.#entries) {
      if (present.has(key)) continue;
      entry.closed = true;
      entry.totals.end(now);
      // A server to whom nobody ever talked leaves no history.
      const neverTalked = entry.fact.endpoints.length < 2;
      if (neverTalked || now - entry.lastSeen > closedMilliseconds) this.#forget(key, entry);
    }
    const closed = [...this.#entries].filter(([, entry]) => entry.closed);
    closed.sort(([, a], [, b]) => a.lastSeen - b.lastSeen);
    for (const [key, entry] of closed.slice(0, Math.max(0, closed.length - maxClosed))) {
      this.#forget(key, entry);
    }
  }

  #forget(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#names.delete(entry.name);
  }

  /** The channels now, in the order in which they were first seen. */
  list(pod: ObservedPod, now: number): Channel[] {
    return [...this.#entries.values()].map((entry) => channelOf(pod, entry, now));
  }
}

function mergeOverTime(before: ChannelFact, fact: ChannelFact): ChannelFact {
  if (!objects.includes(fact.type)) {
    return { ...fact, endpoints: fact.endpoints.map((end) => withLastProcess(end, before.endpoints)) };
  }
  const byRole = directed.includes(fact.type);
  const isNamed = (end: ChannelEndpoint) =>
    fact.endpoints.some((other) => other.container === end.container && (!byRole || other.role === end.role));
  const endpoints = [...fact.endpoints, ...before.endpoints.filter((end) => !isNamed(end))];
  const order = (end: ChannelEndpoint) => Number(end.role === "Reader" || end.role === "Receiver");
  endpoints.sort((a, b) => order(a) - order(b));
  const containers = new Set(endpoints.map(({ container }) => container));
  return { ...fact, endpoints, scope: containers.size > 1 ? "InterContainer" : fact.scope };
}

/** A process that is seen only now and then is still the one that was last seen at this end. */
function withLastProcess(end: ChannelEndpoint, before: readonly ChannelEndpoint[]): ChannelEndpoint {
  if (end.process !== undefined || end.container === undefined) return end;
  const last = before.find(({ container, role }) => container === end.container && role === end.role);
  return last?.process === undefined ? end : { ...end, process: last.process };
}

function stateOf(entry: Entry, now: number): ChannelState {
  if (entry.closed) return "Closed";
  const { condition, activity, endpoints } = entry.fact;
  if (condition !== "Open") return condition;
  // Where the kernel counts nothing, having both ends open is all that can be said.
  if (activity === undefined) return endpoints.length > 1 ? "Active" : "Idle";
  return now - entry.movedAt <= activeMilliseconds ? "Active" : "Idle";
}

function channelOf(pod: ObservedPod, entry: Entry, now: number): Channel {
  const { fact, totals } = entry;
  const needsPort = fact.type === "TCP" || fact.type === "UDP";
  const state = stateOf(entry, now);
  const { traffic } = totals;
  const counts = fact.openConnections !== undefined;
  return {
    apiVersion: "peapod.dev/v1alpha1",
    kind: "Channel",
    metadata: {
      name: entry.name,
      namespace: pod.namespace,
      labels: { "peapod.dev/pod": pod.name },
      creationTimestamp: kubernetesTime(entry.firstSeen),
    },
    spec: {
      pod: pod.name,
      podUID: pod.uid,
      type: fact.type,
      scope: fact.scope,
      address: fact.address,
      ...(fact.port === undefined ? {} : { port: fact.port }),
      ...(fact.size === undefined ? {} : { size: fact.size }),
    },
    status: {
      state,
      ...(fact.reason === undefined || (state !== "Blocked" && state !== "Stale")
        ? {}
        : { reason: fact.reason }),
      needsPort,
      ...(fact.declared === undefined ? {} : { declared: fact.declared }),
      endpoints: fact.endpoints,
      ...(traffic === undefined ? {} : { traffic: { ...traffic, ...countedSince(totals) } }),
      ...(counts
        ? { connections: { open: entry.closed ? 0 : (fact.openConnections ?? 0), total: totals.connections } }
        : {}),
      firstSeen: kubernetesTime(entry.firstSeen),
      lastSeen: kubernetesTime(entry.lastSeen),
      evidence: distinct(fact).slice(0, maxEvidence),
    },
  };
}

function countedSince({ countedSince }: Totals): { since?: string } {
  return countedSince === undefined ? {} : { since: kubernetesTime(countedSince) };
}

function distinct({ evidence }: ChannelFact): ChannelFact["evidence"] {
  return [...new Map(evidence.map((each) => [`${each.source} ${each.detail}`, each])).values()];
}
