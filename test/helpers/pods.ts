import { join } from "node:path";
import { quietScope, withTimeout } from "../../src/base/scope.ts";
import { type Client, createClient } from "../../src/client/client.ts";
import { events, pods } from "../../src/client/resources.ts";
import type { ContainerStatus, Event, Pod, PodSpec, StoredPod } from "../../src/kube/types.ts";
import { slower } from "./patience.ts";
import type { TestNode } from "./peapod.ts";

/** The pods of one test node, seen and changed through its API only. */
export interface PodAPI {
  readonly client: Client;
  /** Creates a pod on the host image in namespace default; containers without an image get that one. */
  create(name: string, spec: PodSpec, metadata?: Pod["metadata"]): Promise<StoredPod>;
  get(name: string): Promise<StoredPod>;
  /** Sends a JSON merge patch; containers that it names keep what it does not say of them. */
  patch(name: string, patch: { spec?: Partial<PodSpec>; metadata?: Pod["metadata"] }): Promise<StoredPod>;
  /** Adds containers to a running pod, or replaces those of the same name. */
  addEphemeralContainers(
    name: string,
    containers: NonNullable<PodSpec["ephemeralContainers"]>,
  ): Promise<StoredPod>;
  /** The first state of the pod, from now on, for which `look` finds something. */
  until<T>(name: string, what: string, look: (pod: StoredPod) => T | undefined, seconds?: number): Promise<T>;
  /** The first event about the pod, past ones too, that has this reason and contains this text. */
  event(name: string, reason: string, text?: string, seconds?: number): Promise<Event>;
  events(name: string): Promise<readonly Event[]>;
  log(name: string, container: string, previous?: boolean): Promise<string>;
  /** Begins to follow the container's log; what it resolves to gives all of it, once the container has ended. */
  followLog(name: string, container: string): Promise<{ all: Promise<string> }>;
  /** Deletes the pod and waits until it is gone. */
  delete(name: string, graceSeconds?: number): Promise<void>;
}

const namespace = "default";
const defaultLimitSeconds = 30;

/** See {@link PodAPI}. */
export function podAPI(node: Pick<TestNode, "runDir">): PodAPI {
  const client = createClient({ socketPath: join(node.runDir, "api.sock") });
  const scope = quietScope();

  async function first<T>(
    type: typeof pods,
    fieldSelector: string,
    what: string,
    look: (object: never, type: string) => T | undefined,
    seconds: number,
    after: { resourceVersion?: string | undefined } = {},
  ): Promise<T> {
    const limited = withTimeout(scope, seconds * 1000 * slower);
    let last: unknown;
    try {
      for await (const change of client.watch(type, { namespace, fieldSelector, ...after }, limited)) {
        last = change.object;
        const found = look(change.object as never, change.type);
        if (found !== undefined) return found;
      }
    } catch (error) {
      if (!limited.signal.aborted) throw error;
    }
    throw new Error(`not within ${seconds} s: ${what}; last: ${JSON.stringify(last, undefined, 1)}`);
  }

  const ofPod = (name: string) => `involvedObject.name=${name}`;
  return {
    client,
    create: (name, spec, metadata = {}) =>
      client.create<StoredPod>(
        pods,
        namespace,
        { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name }, spec: withImages(spec) },
        scope,
      ),
    async patch(name, patch) {
      const { spec } = await client.get<StoredPod>(pods, { namespace, name }, scope);
      const containers = patch.spec?.containers?.map((changed) => ({
        ...spec.containers.find((container) => container.name === changed.name),
        ...changed,
      }));
      const whole = containers === undefined ? patch : { ...patch, spec: { ...patch.spec, containers } };
      return client.patch<StoredPod>(pods, { namespace, name }, whole, scope);
    },
    async addEphemeralContainers(name, containers) {
      const { spec } = await client.get<StoredPod>(pods, { namespace, name }, scope);
      const isKept = (old: { name: string }) => containers.every((added) => added.name !== old.name);
      const ephemeralContainers = [...(spec.ephemeralContainers ?? []).filter(isKept), ...containers];
      const reference = { namespace, name, subresource: "ephemeralcontainers" };
      return client.patch<StoredPod>(pods, reference, { spec: { ephemeralContainers } }, scope);
    },
    get: (name) => client.get<StoredPod>(pods, { namespace, name }, scope),
    until: (name, what, look, seconds = defaultLimitSeconds) =>
      first(pods, `metadata.name=${name}`, `${name}: ${what}`, look, seconds),
    event: (name, reason, text = "", seconds = defaultLimitSeconds) =>
      first(
        events,
        ofPod(name),
        `${name}: event ${reason} ${text}`,
        (event: Event) => (event.reason === reason && event.message?.includes(text) ? event : undefined),
        seconds,
      ),
    async events(name) {
      const { items } = await client.list<Event>(events, { namespace, fieldSelector: ofPod(name) }, scope);
      return items;
    },
    log: async (name, container, previous = false) =>
      text(await client.log(namespace, name, { container, previous }, scope)),
    async followLog(name, container) {
      return { all: text(await client.log(namespace, name, { container, follow: true }, scope)) };
    },
    async delete(name, graceSeconds) {
      await client.delete(pods, { namespace, name }, { gracePeriodSeconds: graceSeconds }, scope);
      const fieldSelector = `metadata.name=${name}`;
      const { items, metadata } = await client.list(pods, { namespace, fieldSelector }, scope);
      if (items.length === 0) return;
      await first(
        pods,
        fieldSelector,
        `${name}: gone`,
        (_pod, type) => type === "DELETED" || undefined,
        defaultLimitSeconds,
        // From the list on: a pod that goes before the watch begins is told of, too.
        { resourceVersion: metadata.resourceVersion },
      );
    },
  };
}

async function text(chunks: AsyncIterable<Buffer>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(chunks)).toString();
}

function withImages(spec: PodSpec): PodSpec {
  const onHost = <T extends { image?: string }>(containers: readonly T[]): T[] =>
    containers.map((container) => ({ image: "peapod.dev/host", ...container }));
  return {
    terminationGracePeriodSeconds: 1,
    ...spec,
    containers: onHost(spec.containers),
    ...(spec.initContainers === undefined ? {} : { initContainers: onHost(spec.initContainers) }),
  };
}

/** The status of one container of the pod, whatever kind it is. */
export function statusOf({ status }: Pod, container: string): ContainerStatus | undefined {
  return [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find(({ name }) => name === container);
}

/** Whether a condition of the pod is True. */
export function hasCondition({ status }: Pod, type: string): boolean {
  return status?.conditions?.some((one) => one.type === type && one.status === "True") ?? false;
}

/** A shell command as a container runs it. */
export function shell(script: string): string[] {
  return ["sh", "-c", script];
}
