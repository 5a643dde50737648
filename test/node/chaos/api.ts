import { request } from "node:http";
import { join } from "node:path";
import type { KubernetesObject } from "../../../src/kube/types.ts";

/** What the API answered; status 0: nobody did, since the daemon is gone or went meanwhile. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API sends
  readonly body: any;
}

const groups: Readonly<Record<string, string>> = {
  deployments: "/apis/apps/v1",
  replicasets: "/apis/apps/v1",
  statefulsets: "/apis/apps/v1",
  jobs: "/apis/batch/v1",
  endpointslices: "/apis/discovery.k8s.io/v1",
};

/** The API of a node whose daemon comes and goes, in the namespace `default`. */
export class Api {
  readonly #socketPath: string;

  constructor(runDir: string) {
    this.#socketPath = join(runDir, "api.sock");
  }

  call(method: string, path: string, body?: object, type = "application/json"): Promise<Answer> {
    return new Promise((resolve) => {
      const content = body === undefined ? "" : JSON.stringify(body);
      const headers = { "content-type": type, "content-length": Buffer.byteLength(content) };
      const nobody = () => resolve({ status: 0, body: undefined });
      const sent = request({ socketPath: this.#socketPath, method, path, headers }, async (message) => {
        let all = "";
        try {
          for await (const chunk of message.setEncoding("utf8")) all += chunk;
          const isJSON = message.headers["content-type"]?.startsWith("application/json") === true;
          resolve({ status: message.statusCode ?? 0, body: isJSON ? JSON.parse(all) : all });
        } catch {
          nobody();
        }
      });
      sent.on("error", nobody);
      sent.end(content);
    });
  }

  path(resource: string, name = ""): string {
    const place = `${groups[resource] ?? "/api/v1"}/namespaces/default/${resource}`;
    return name === "" ? place : `${place}/${name}`;
  }

  create(resource: string, object: object): Promise<Answer> {
    return this.call("POST", this.path(resource), object);
  }

  patch(resource: string, name: string, change: object, subresource = ""): Promise<Answer> {
    const path = `${this.path(resource, name)}${subresource}`;
    return this.call("PATCH", path, change, "application/strategic-merge-patch+json");
  }

  remove(resource: string, name: string, query = ""): Promise<Answer> {
    return this.call("DELETE", `${this.path(resource, name)}${query}`);
  }

  /** All objects of a kind; throws while nobody answers. */
  // biome-ignore lint/suspicious/noExplicitAny: the fields that a check reads
  async list(resource: string): Promise<(KubernetesObject & { spec?: any; status?: any })[]> {
    const { status, body } = await this.call("GET", this.path(resource));
    if (status !== 200) throw new Error(`list ${resource}: ${status} ${JSON.stringify(body)}`);
    return body.items;
  }
}
