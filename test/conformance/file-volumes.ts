import { expect, test } from "vitest";
import { type Cluster, type Finished, runPod, scriptPod } from "../helpers/cluster.ts";

/** How a ConfigMap, a Secret or a field of the pod gets into a volume: by a volume of its own or by a projected one. */
export interface FileSource {
  /** `configMap` volumes take `name`, `secret` volumes `secretName`; projected ones take `name` for both. */
  volume(name: string, options?: SourceOptions): object;
}

export interface SourceOptions {
  readonly items?: readonly { key: string; path: string; mode?: number }[];
  readonly defaultMode?: number;
  readonly optional?: boolean;
}

/** An object with keys, as a volume shows it. */
export interface KeyedKind {
  readonly kind: "ConfigMap" | "Secret";
  readonly source: FileSource;
}

/** The content of a ConfigMap or Secret with these values. */
export function keyed(kind: "ConfigMap" | "Secret", name: string, data: Record<string, string>): object {
  const values = kind === "ConfigMap" ? { data } : { stringData: data };
  return { apiVersion: "v1", kind, metadata: { name }, ...values };
}

/** A change of one value. */
function change(kind: "ConfigMap" | "Secret", data: Record<string, string | null>): object {
  const encoded = Object.entries(data).map(([key, value]) => [
    key,
    value === null || kind === "ConfigMap" ? value : Buffer.from(value).toString("base64"),
  ]);
  return { data: Object.fromEntries(encoded) };
}

export const sources = {
  configMap: {
    volume: (name: string, { defaultMode, ...rest }: SourceOptions = {}) => ({
      configMap: { name, ...rest, ...(defaultMode === undefined ? {} : { defaultMode }) },
    }),
  },
  secret: {
    volume: (secretName: string, { defaultMode, ...rest }: SourceOptions = {}) => ({
      secret: { secretName, ...rest, ...(defaultMode === undefined ? {} : { defaultMode }) },
    }),
  },
  projectedConfigMap: {
    volume: (name: string, { defaultMode, ...rest }: SourceOptions = {}) => ({
      projected: {
        sources: [{ configMap: { name, ...rest } }],
        ...(defaultMode === undefined ? {} : { defaultMode }),
      },
    }),
  },
  projectedSecret: {
    volume: (name: string, { defaultMode, ...rest }: SourceOptions = {}) => ({
      projected: {
        sources: [{ secret: { name, ...rest } }],
        ...(defaultMode === undefined ? {} : { defaultMode }),
      },
    }),
  },
} satisfies Record<string, FileSource>;

/** A pod that looks at a volume in `/v` once. */
interface Look {
  readonly name: string;
  readonly options?: SourceOptions;
  readonly security?: object;
  readonly script: string;
  readonly log: string;
}

const read = (path: string) => `stat -L -c '%A %u:%g' /v/${path}; cat /v/${path}`;
const mapped = [{ key: "data-2", path: "path/to/data-2" }];
const mappedWithMode = [{ key: "data-2", path: "path/to/data-2", mode: 0o400 }];
const nonRoot = { runAsUser: 1000 };

/** What the suite asks of ConfigMaps and Secrets alike; names as its entries have them. */
const looks: readonly Look[] = [
  {
    name: "should be consumable from pods in volume",
    script: read("data-1"),
    log: "-rw-r--r-- 0:0\nvalue-1",
  },
  {
    name: "should be consumable from pods in volume with defaultMode set",
    options: { defaultMode: 0o400 },
    script: read("data-1"),
    log: "-r-------- 0:0\nvalue-1",
  },
  {
    name: "should be consumable from pods in volume with mappings",
    options: { items: mapped },
    script: `${read("path/to/data-2")}; ls /v`,
    log: "-rw-r--r-- 0:0\nvalue-2path\n",
  },
  {
    name: "should be consumable from pods in volume with mappings and Item mode set",
    options: { items: mappedWithMode },
    script: read("path/to/data-2"),
    log: "-r-------- 0:0\nvalue-2",
  },
];
const looksOfConfigMaps: readonly Look[] = [
  {
    name: "should be consumable from pods in volume as non-root",
    security: nonRoot,
    script: `id -u; ${read("data-1")}`,
    log: "1000\n-rw-r--r-- 0:0\nvalue-1",
  },
  {
    name: "should be consumable from pods in volume with mappings as non-root",
    security: nonRoot,
    options: { items: mapped },
    script: `id -u; ${read("path/to/data-2")}`,
    log: "1000\n-rw-r--r-- 0:0\nvalue-2",
  },
];
const looksOfSecrets: readonly Look[] = [
  {
    name: "should be consumable from pods in volume as non-root with defaultMode and fsGroup set",
    security: { runAsUser: 1000, fsGroup: 1001 },
    options: { defaultMode: 0o440 },
    script: `id -u; ${read("data-1")}`,
    log: "1000\n-r--r----- 0:1001\nvalue-1",
  },
];

/** Starts every pod of the table; `declare` tests then wait for them. */
export function startLooks(cluster: Cluster, namespace: string, { kind, source }: KeyedKind) {
  const table = [...looks, ...(kind === "ConfigMap" ? looksOfConfigMaps : looksOfSecrets)];
  const results = new Map<string, Promise<Finished>>();
  for (const [index, { name, options, security = {}, script }] of table.entries()) {
    const pod = scriptPod(
      `look-${index}`,
      script,
      { securityContext: security, volumes: [{ name: "v", ...source.volume("keyed", options) }] },
      { volumeMounts: [{ name: "v", mountPath: "/v", readOnly: true }] },
    );
    results.set(name, runPod(cluster, namespace, pod));
  }
  for (const result of results.values()) result.catch(() => {});
  return results;
}

/** Declares the table's tests. */
export function testLooks(kind: KeyedKind["kind"], results: () => Map<string, Promise<Finished>>): void {
  const table = [...looks, ...(kind === "ConfigMap" ? looksOfConfigMaps : looksOfSecrets)];
  test.each(table)("$name", async ({ name, log }) => {
    expect(await results().get(name)).toEqual({ phase: "Succeeded", log });
  });
}

/** `should be consumable in multiple volumes in (the same) a pod` */
export async function lookTwice(cluster: Cluster, namespace: string, { source }: KeyedKind): Promise<void> {
  const pod = scriptPod(
    "twice",
    "cat /a/data-1 /b/data-1",
    {
      volumes: [
        { name: "a", ...source.volume("keyed") },
        { name: "b", ...source.volume("keyed") },
      ],
    },
    {
      volumeMounts: [
        { name: "a", mountPath: "/a", readOnly: true },
        { name: "b", mountPath: "/b" },
      ],
    },
  );
  expect(await runPod(cluster, namespace, pod)).toEqual({ phase: "Succeeded", log: "value-1value-1" });
}

const watchScript = (files: string) =>
  `while sleep 0.2; do for f in ${files}; do echo "$f=$(cat /v/$f 2>/dev/null)"; done; done`;

/** `updates should be reflected in volume` */
export async function followUpdate(cluster: Cluster, namespace: string, { kind, source }: KeyedKind) {
  await cluster.create(namespace, keyed(kind, "changing", { "data-1": "value-1" }));
  const pod = scriptPod(
    "updates",
    watchScript("data-1"),
    { volumes: [{ name: "v", ...source.volume("changing") }] },
    { volumeMounts: [{ name: "v", mountPath: "/v" }] },
  );
  await cluster.create(namespace, pod);
  await cluster.logged(namespace, "updates", "data-1=value-1");
  await cluster.patch(namespace, kind, "changing", change(kind, { "data-1": "value-2" }));
  await cluster.logged(namespace, "updates", "data-1=value-2");
}

/** `optional updates should be reflected in volume`: one object goes, one changes, one comes. */
export async function followOptionalUpdates(
  cluster: Cluster,
  namespace: string,
  { kind, source }: KeyedKind,
) {
  await cluster.create(namespace, keyed(kind, "goes", { "data-1": "value-1" }));
  await cluster.create(namespace, keyed(kind, "changes", { "data-1": "value-1" }));
  const names = ["goes", "changes", "comes"];
  const container = (name: string) => ({
    name,
    image: "peapod.dev/host",
    command: ["sh", "-c", watchScript("data-1 data-3")],
    volumeMounts: [{ name, mountPath: "/v" }],
  });
  await cluster.create(namespace, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "optional" },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: names.map(container),
      volumes: names.map((name) => ({ name, ...source.volume(name, { optional: true }) })),
    },
  });
  await cluster.logged(namespace, "optional", "data-1=value-1", "goes");
  await cluster.logged(namespace, "optional", "data-1=value-1", "changes");
  await cluster.logged(namespace, "optional", "data-1=\n", "comes");
  await cluster.remove(namespace, kind, "goes");
  await cluster.patch(namespace, kind, "changes", change(kind, { "data-1": null, "data-3": "value-3" }));
  await cluster.create(namespace, keyed(kind, "comes", { "data-1": "value-1" }));
  await cluster.logged(namespace, "optional", /data-1=value-1\n(.*\n)*data-1=\n/, "goes");
  await cluster.logged(namespace, "optional", /data-1=\ndata-3=value-3/, "changes");
  await cluster.logged(namespace, "optional", "data-1=value-1", "comes");
}

/** `should be immutable if immutable field is set` */
export async function stayImmutable(cluster: Cluster, namespace: string, kind: KeyedKind["kind"]) {
  await cluster.create(namespace, keyed(kind, "fixed", { "data-1": "value-1" }));
  await cluster.patch(namespace, kind, "fixed", change(kind, { "data-1": "value-2" }));
  await cluster.patch(namespace, kind, "fixed", { immutable: true });
  for (const refused of [change(kind, { "data-1": "value-3" }), { immutable: false }]) {
    await expect(cluster.patch(namespace, kind, "fixed", refused)).rejects.toThrow("immutable");
  }
  await cluster.patch(namespace, kind, "fixed", { metadata: { labels: { may: "change" } } });
  await cluster.remove(namespace, kind, "fixed");
}
