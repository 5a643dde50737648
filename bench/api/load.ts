import { Agent, type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";

const pods = "/api/v1/namespaces/default/pods";

/** Requests to one server, over connections that stay open. */
export class Load {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  close(): void {
    this.#agent.destroy();
  }

  create(name: string): Promise<void> {
    return this.#send("POST", pods, JSON.stringify(storedPod(name)));
  }

  delete(name: string): Promise<void> {
    return this.#send("DELETE", `${pods}/${name}?gracePeriodSeconds=0`);
  }

  get(name: string): Promise<void> {
    return this.#send("GET", `${pods}/${name}`);
  }

  list(): Promise<void> {
    return this.#send("GET", pods);
  }

  /** Resolves with a watch that calls `seen` with each name that is added from now on. */
  watch(seen: (name: string) => void): Promise<{ stop(): void }> {
    return new Promise((resolve, reject) => {
      const path = `${pods}?watch=1&resourceVersion=${this.#version}`;
      const sent = request({ socketPath: this.#socketPath, path }, (message) => {
        const lines = createInterface(message).on("line", (line) => {
          const { type, object } = JSON.parse(line);
          if (type === "ADDED") seen(object.metadata.name);
        });
        // It is broken off when it has been looked at for long enough.
        for (const each of [sent, message, lines]) each.on("error", () => {});
        resolve({ stop: () => sent.destroy() });
      });
      sent.on("error", reject);
      sent.end();
    });
  }

  /** Of the newest list. */
  #version = "0";

  #send(method: string, path: string, body?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json" };
      const options = { socketPath: this.#socketPath, method, path, headers, agent: this.#agent };
      const sent = request(options, (message) => {
        this.#read(message, `${method} ${path}`, path === pods && method === "GET").then(resolve, reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  async #read(message: IncomingMessage, what: string, isList: boolean): Promise<void> {
    let text = "";
    for await (const chunk of message.setEncoding("utf8")) text += chunk;
    if ((message.statusCode ?? 500) >= 300) throw new Error(`${what}: ${message.statusCode} ${text}`);
    if (isList) this.#version = /"resourceVersion":"(\d+)"/.exec(text.slice(0, 200))?.[1] ?? "0";
  }
}

/**
 * A pod of two containers as people write them. It is bound to a node that is not there, so that it is stored, listed
 * and watched like every pod, and nobody starts it.
 */
function storedPod(name: string): object {
  const container = (containerName: string) => ({
    name: containerName,
    image: "node:18-alpine",
    command: ["node", "-e", "require('http').createServer((q, r) => r.end('hello')).listen(8080)"],
    ports: [{ containerPort: 8080 }],
    env: [{ name: "LEVEL", value: "info" }],
    resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } },
    readinessProbe: { httpGet: { path: "/", port: 8080 } },
    volumeMounts: [{ name: "shared", mountPath: "/shared" }],
  });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: "bench", part: "api" } },
    spec: {
      nodeName: "elsewhere",
      containers: [container("first"), container("second")],
      volumes: [{ name: "shared", emptyDir: {} }],
    },
  };
}
