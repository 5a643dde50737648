import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { KubernetesObject, Pod, StoredPod } from "../../src/kube/types.ts";
import { slower } from "./patience.ts";
import { type TestNode, testNode } from "./peapod.ts";

/** What the API answered. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API sends
  readonly body: any;
}

/** A real node that is only talked to through its API, as any Kubernetes client would. */
export interface Cluster {
  readonly node: TestNode;
  /** A namespace of a test's own. */
  newNamespace(): Promise<string>;
  /** Sends a text as it is, anything else as JSON. */
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  /** Every event of a watch, to its end: `path` says how long it lasts. */
  watch(path: string): Promise<{ type: string; object: StoredPod }[]>;
  /** Creates an object and throws when the API refuses it. */
  create<T = KubernetesObject>(namespace: string, object: object): Promise<T>;
  /** Merges into an object and throws when the API refuses it. */
  patch(namespace: string, kind: string, name: string, change: object): Promise<Answer>;
  remove(namespace: string, kind: string, name: string): Promise<Answer>;
  /** Resolves with the pod as soon as it is so. */
  until(
    namespace: string,
    name: string,
    isSo: (pod: StoredPod) => boolean,
    what: string,
    limitMilliseconds?: number,
  ): Promise<StoredPod>;
  /** The container's log so far. */
  log(namespace: string, pod: string, container?: string): Promise<string>;
  /** Resolves once the log has the text; throws with what it has at the end. */
  logged(namespace: string, pod: string, text: string | RegExp, container?: string): Promise<string>;
  events(namespace: string, pod: string): Promise<{ reason: string; message: string; type: string }[]>;
  close(): Promise<void>;
}

const plurals: Readonly<Record<string, string>> = {
  Pod: "pods",
  ConfigMap: "configmaps",
  Secret: "secrets",
  Namespace: "namespaces",
  PersistentVolumeClaim: "persistentvolumeclaims",
  PersistentVolume: "persistentvolumes",
  ServiceAccount: "serviceaccounts",
};

const limitMilliseconds = 60_000;

/** Starts the node and one watch over all its pods. */
export async function startCluster(startArgs: readonly string[] = []): Promise<Cluster> {
  const node = await testNode(startArgs);
  const socketPath = join(node.runDir, "api.sock");
  const pods = new Map<string, StoredPod>();
  const waiters = new Set<() => void>();
  let namespaces = 0;

  const send = (method: string, path: string, body?: unknown, contentType = "application/json") =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const content = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
      // Node.js does not say by itself how long the body of a DELETE is.
      const headers = { "content-type": contentType, "content-length": Buffer.byteLength(content) };
      const sent = request({ socketPath, method, path, headers }, resolve);
      sent.on("error", reject);
      sent.end(content);
    });
  const text = async (message: IncomingMessage) => {
    let all = "";
    for await (const chunk of message.setEncoding("utf8")) all += chunk;
    return all;
  };
  const call: Cluster["call"] = async (method, path, body, contentType) => {
    const message = await send(method, path, body, contentType);
    const content = await text(message);
    const isJSON = message.headers["content-type"]?.startsWith("application/json") === true;
    return { status: message.statusCode ?? 0, body: isJSON ? JSON.parse(content) : content };
  };
  const granted = (answer: Answer, what: string) => {
    if (answer.status < 300) return answer;
    throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body.message ?? answer.body)}`);
  };
  const pathOf = (namespace: string, kind: string, name = "") =>
    `/api/v1${namespace === "" ? "" : `/namespaces/${namespace}`}/${plurals[kind]}${name === "" ? "" : `/${name}`}`;

  const watch = await send("GET", "/api/v1/pods?watch=true&allowWatchBookmarks=false");
  createInterface(watch).on("line", (line) => {
    const { type, object } = JSON.parse(line) as { type: string; object: StoredPod };
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    if (type === "DELETED") pods.delete(key);
    else pods.set(key, object);
    for (const look of waiters) look();
  });

  const until: Cluster["until"] = (namespace, name, isSo, what, limit = limitMilliseconds) =>
    new Promise((resolve, reject) => {
      const key = `${namespace}/${name}`;
      const end = (finish: () => void) => {
        waiters.delete(look);
        clearTimeout(timer);
        finish();
      };
      const timer = setTimeout(() => {
        const status = JSON.stringify(pods.get(key)?.status);
        end(() => reject(new Error(`${key} not ${what} within ${limit} ms: ${status}`)));
      }, limit * slower);
      const look = () => {
        const pod = pods.get(key);
        if (pod !== undefined && isSo(pod)) end(() => resolve(pod));
      };
      waiters.add(look);
      look();
    });

  const cluster: Cluster = {
    node,
    call,
    until,
    async newNamespace() {
      namespaces += 1;
      const name = `test-${namespaces}`;
      await cluster.create("", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
      return name;
    },
    async watch(path) {
      const lines = (await text(await send("GET", path))).split("\n");
      return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
    },
    async create<T>(namespace: string, object: object) {
      const { kind } = object as { kind: string };
      return granted(await call("POST", pathOf(namespace, kind), object), `create ${kind}`).body as T;
    },
    async patch(namespace, kind, name, change) {
      const type = "application/merge-patch+json";
      return granted(await call("PATCH", pathOf(namespace, kind, name), change, type), `patch ${kind}`);
    },
    async remove(namespace, kind, name) {
      return granted(await call("DELETE", pathOf(namespace, kind, name)), `delete ${kind}`);
    },
    async log(namespace, pod, container) {
      const query = container === undefined ? "" : `?container=${container}`;
      const answer = await call("GET", `${pathOf(namespace, "Pod", pod)}/log${query}`);
      return typeof answer.body === "string" ? answer.body : "";
    },
    async logged(namespace, pod, wanted, container) {
      const end = Date.now() + limitMilliseconds * slower;
      for (;;) {
        const log = await cluster.log(namespace, pod, container);
        if (typeof wanted === "string" ? log.includes(wanted) : wanted.test(log)) return log;
        if (Date.now() > end) throw new Error(`log of ${pod} has no ${String(wanted)}:\n${log}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    async events(namespace, pod) {
      const query = encodeURIComponent(`involvedObject.name=${pod}`);
      return (await call("GET", `/api/v1/namespaces/${namespace}/events?fieldSelector=${query}`)).body.items;
    },
    async close() {
      watch.destroy();
      await node.close();
    },
  };
  return cluster;
}

/** A pod of one container named `main` on the host image that runs a shell script once. */
export function scriptPod(
  name: string,
  script: string,
  spec: Partial<NonNullable<Pod["spec"]>> = {},
  container: object = {},
): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "main", image: "peapod.dev/host", command: ["sh", "-c", script], ...container }],
      ...spec,
    },
  };
}

/** How a pod that ran to its end ended, and what it said. */
export interface Finished {
  readonly phase: string;
  readonly log: string;
}

/** Creates the pod and waits for its end. */
export async function runPod(cluster: Cluster, namespace: string, pod: object): Promise<Finished> {
  const { name } = (pod as { metadata: { name: string } }).metadata;
  await cluster.create(namespace, pod);
  const ended = await cluster.until(
    namespace,
    name,
    ({ status }) => status?.phase === "Succeeded" || status?.phase === "Failed",
    "finished",
  );
  return { phase: ended.status?.phase ?? "", log: await cluster.log(namespace, name) };
}
