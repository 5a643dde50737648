import { expect, test } from "vitest";
import { type Cluster, type Finished, runPod, scriptPod } from "../helpers/cluster.ts";

interface Item {
  readonly path: string;
  readonly mode?: number;
  readonly fieldRef?: { fieldPath: string };
  readonly resourceFieldRef?: { containerName: string; resource: string; divisor?: string };
}

/** A volume of these items, of its own or projected. */
export type DownwardVolume = (items: readonly Item[], defaultMode?: number) => object;

const resources = { requests: { cpu: "250m", memory: "32Mi" }, limits: { cpu: "1250m", memory: "64Mi" } };
const podName = { path: "podname", fieldRef: { fieldPath: "metadata.name" } };
const of = (resource: string) => [{ path: "value", resourceFieldRef: { containerName: "main", resource } }];

interface Look {
  readonly name: string;
  readonly items: readonly Item[];
  readonly defaultMode?: number;
  readonly resources?: object;
  readonly script: string;
  readonly log: (allocatable: { cpu: string; memory: string }) => string;
}

const looks: readonly Look[] = [
  { name: "should provide podname only", items: [podName], script: "cat /v/podname", log: () => "look-0" },
  {
    name: "should set DefaultMode on files",
    items: [podName],
    defaultMode: 0o400,
    script: "stat -L -c %A /v/podname",
    log: () => "-r--------\n",
  },
  {
    name: "should set mode on item file",
    items: [{ ...podName, mode: 0o400 }],
    script: "stat -L -c %A /v/podname",
    log: () => "-r--------\n",
  },
  {
    name: "should provide container's cpu limit",
    items: of("limits.cpu"),
    resources,
    script: "cat /v/value",
    log: () => "2",
  },
  {
    name: "should provide container's memory limit",
    items: of("limits.memory"),
    resources,
    script: "cat /v/value",
    log: () => "67108864",
  },
  {
    name: "should provide container's cpu request",
    items: of("requests.cpu"),
    resources,
    script: "cat /v/value",
    log: () => "1",
  },
  {
    name: "should provide container's memory request",
    items: of("requests.memory"),
    resources,
    script: "cat /v/value",
    log: () => "33554432",
  },
  {
    name: "should provide node allocatable (cpu) as default cpu limit if the limit is not set",
    items: of("limits.cpu"),
    script: "cat /v/value",
    log: ({ cpu }) => cpu,
  },
  {
    name: "should provide node allocatable (memory) as default memory limit if the limit is not set",
    items: of("limits.memory"),
    script: "cat /v/value",
    log: ({ memory }) => String(Number.parseInt(memory, 10) * 1024),
  },
];

/** Starts every pod of the table; the tests of {@link testLooks} then wait for them. */
export function startLooks(cluster: Cluster, namespace: string, volume: DownwardVolume) {
  const results = new Map<string, Promise<Finished>>();
  for (const [index, { name, items, defaultMode, resources: asked, script }] of looks.entries()) {
    const pod = scriptPod(
      `look-${index}`,
      script,
      { volumes: [{ name: "v", ...volume(items, defaultMode) }] },
      {
        volumeMounts: [{ name: "v", mountPath: "/v" }],
        ...(asked === undefined ? {} : { resources: asked }),
      },
    );
    results.set(name, runPod(cluster, namespace, pod));
  }
  for (const result of results.values()) result.catch(() => {});
  return results;
}

/** Declares the table's tests. */
export function testLooks(cluster: () => Cluster, results: () => Map<string, Promise<Finished>>): void {
  test.each(looks)("$name", async ({ name, log }) => {
    const nodes = await cluster().call("GET", "/api/v1/nodes");
    const expected = log(nodes.body.items[0].status.allocatable);
    expect(await results().get(name)).toEqual({ phase: "Succeeded", log: expected });
  });
}

/** `should update labels on modification`, `should update annotations on modification` */
export async function followMetadata(
  cluster: Cluster,
  namespace: string,
  volume: DownwardVolume,
  field: "labels" | "annotations",
): Promise<void> {
  const name = `${field}-update`;
  const pod = scriptPod(
    name,
    "while sleep 0.2; do cat /v/shown; echo; done",
    {
      volumes: [{ name: "v", ...volume([{ path: "shown", fieldRef: { fieldPath: `metadata.${field}` } }]) }],
    },
    { volumeMounts: [{ name: "v", mountPath: "/v" }] },
  );
  await cluster.create(namespace, {
    ...pod,
    metadata: { name, [field]: { key1: "value1", key2: "value2" } },
  });
  await cluster.logged(namespace, name, 'key1="value1"\nkey2="value2"\n');
  await cluster.patch(namespace, "Pod", name, { metadata: { [field]: { key3: "value3" } } });
  await cluster.logged(namespace, name, 'key1="value1"\nkey2="value2"\nkey3="value3"\n');
}
