import { join } from "node:path";
import { stringify } from "yaml";
import type { Channel } from "../../../src/channels/types.ts";
import { edgeOf } from "../../helpers/channel-edges.ts";
import type { TestNode } from "../../helpers/peapod.ts";
import type { TruthCase } from "./cases.ts";

const programs = join(import.meta.dirname, "../../fixtures/workloads");

/** The manifest of a case: each container mounts the shared volume at a path of its own. */
export function truthPod({ name, containers, spec }: TruthCase): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 0,
      ...spec,
      volumes: [
        { name: "programs", hostPath: { path: programs } },
        { name: "shared", emptyDir: {} },
      ],
      containers: Object.entries(containers).map(([container, words]) => ({
        name: container,
        image: "peapod.dev/host",
        command: [
          "/usr/bin/python3",
          "/programs/talk.py",
          ...words.replaceAll("V/", `/of-${container}/`).split(" "),
        ],
        volumeMounts: [
          { name: "programs", mountPath: "/programs", readOnly: true },
          { name: "shared", mountPath: `/of-${container}` },
        ],
      })),
    },
  };
}

/** Starts the pods of all cases and waits until they are ready. */
export async function startPods(node: TestNode, pods: readonly object[]): Promise<void> {
  const input = pods.map((pod) => stringify(pod)).join("---\n");
  await node.ok(["up", "-d", "-f", "-"], { input });
}

/** All channels of the node by pod. */
export async function channelsByPod(node: TestNode, deep = false): Promise<Map<string, Channel[]>> {
  const text = await node.ok(["channels", "-o", "json", ...(deep ? ["--deep"] : [])]);
  const { items } = JSON.parse(text) as { items: Channel[] };
  return Map.groupBy(items, ({ spec }) => spec.pod);
}

/** The pod's edges; the numbers that the kernel hands out are no part of the truth. */
export function edges(channels: readonly Channel[] | undefined): string[] {
  return (channels ?? [])
    .flatMap(
      (channel) =>
        edgeOf(channel)
          ?.replace(/pipe:\[\d+\]$/, "pipe")
          .replace(/ id \d+$/, "") ?? [],
    )
    .sort();
}

/** What was true and what was seen, by type of channel. */
export class Score {
  readonly #types = new Map<string, { truth: number; seen: number; missing: number; wrong: number }>();

  /** Edges that are not true and were shown by some look while programs started. */
  readonly passing: string[] = [];

  /** Notes what one look on the way shows beside the truth. */
  note(pod: string, truth: readonly string[], seen: readonly string[]): void {
    for (const edge of seen) {
      const text = `${pod}: ${edge}`;
      if (!truth.includes(edge) && !this.passing.includes(text)) this.passing.push(text);
    }
  }

  add(truth: readonly string[], seen: readonly string[]): void {
    for (const edge of truth) this.#of(edge).truth += 1;
    for (const edge of truth) if (!seen.includes(edge)) this.#of(edge).missing += 1;
    for (const edge of seen) this.#of(edge).seen += 1;
    for (const edge of seen) if (!truth.includes(edge)) this.#of(edge).wrong += 1;
  }

  #of(edge: string) {
    const type = /(?:->|==) \S+ (\S+)/.exec(edge)?.[1] ?? "?";
    const score = this.#types.get(type) ?? { truth: 0, seen: 0, missing: 0, wrong: 0 };
    this.#types.set(type, score);
    return score;
  }

  toJSON(): object {
    return Object.fromEntries([...this.#types].sort(([a], [b]) => a.localeCompare(b)));
  }
}
