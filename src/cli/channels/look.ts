import type { Scope } from "../../base/scope.ts";
import type { Channel, MissingEvidence } from "../../channels/types.ts";
import type { Client, Table } from "../../client/client.ts";
import { channels as channelType, pods as podType } from "../../client/resources.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { hidesChannel } from "../channel-noise.ts";

/** Set by the server on lists of channels (docs/reference/channels.md). */
const missingEvidenceAnnotation = "peapod.dev/missing-evidence";

/** All channels at one moment, as the server prints them and as they are. */
export interface Look {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly columns: Table["columnDefinitions"];
  readonly rows: readonly LookRow[];
  readonly missing: readonly MissingEvidence[];
  /** By UID of the pod: its containers' names, in its order. */
  readonly containers: Readonly<Record<string, readonly string[]>>;
}

export interface LookRow {
  readonly cells: readonly unknown[];
  readonly channel: Channel;
}

/** Which channels are looked at, and how deep. */
export interface LookQuery {
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly deep: boolean;
}

/** Looks once. `withContainers` asks for the pods too, whose containers may have no channel at all. */
export async function lookOnce(
  client: Client,
  { namespace, pod, deep }: LookQuery,
  withContainers: boolean,
  scope: Scope,
): Promise<Look> {
  const table = await client.table(
    channelType,
    {
      namespace,
      fieldSelector: pod === undefined ? undefined : `spec.pod=${pod}`,
      wholeObjects: true,
      parameters: deep ? { deep: true } : {},
    },
    scope,
  );
  const annotation = table.metadata?.annotations?.[missingEvidenceAnnotation];
  return {
    at: scope.clock.now(),
    columns: table.columnDefinitions,
    rows: table.rows.flatMap(({ cells, object }) =>
      object === undefined ? [] : [{ cells, channel: object as unknown as Channel }],
    ),
    missing: annotation === undefined ? [] : JSON.parse(annotation),
    containers: withContainers ? await containersOf(client, namespace, scope) : {},
  };
}

async function containersOf(
  client: Client,
  namespace: string | undefined,
  scope: Scope,
): Promise<Record<string, string[]>> {
  interface Named {
    readonly name: string;
  }
  interface PodShape extends KubernetesObject {
    readonly spec: { readonly containers: readonly Named[]; readonly initContainers?: readonly Named[] };
  }
  const { items } = await client.list<PodShape>(podType, { namespace }, scope);
  return Object.fromEntries(
    items.map(({ metadata, spec }) => [metadata.uid ?? "", spec.containers.map(({ name }) => name)]),
  );
}

/** The rows that a person wants to see: without what stays in one container and what is said twice. */
export function shownRows(look: Look, all: boolean): readonly LookRow[] {
  const channels = look.rows.map(({ channel }) => channel);
  return all ? look.rows : look.rows.filter(({ channel }) => !hidesChannel(channel, channels));
}

/** What this machine can't tell, so that an absent channel is not taken for an absent conversation. */
export function missingLines({ missing }: Look): string[] {
  return missing.map(({ layer, reason }) => `Not seen on this machine: ${layer} (${reason})`);
}
