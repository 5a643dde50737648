import type { Answer, Api } from "./api.ts";
import type { Random } from "./random.ts";

const image = "peapod.dev/host";
const forever = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

const container = (script: string, more: object = {}): object => ({
  name: "main",
  image,
  command: ["sh", "-c", script],
  resources: { requests: { cpu: "10m", memory: "8Mi" }, limits: { cpu: "500m", memory: "64Mi" } },
  ...more,
});

const pod = (name: string, spec: object, labels: object = {}): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels },
  spec: { terminationGracePeriodSeconds: 1, ...spec },
});

const counter = "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.05; done";

/** Pods that nobody touches: whatever happens to the daemon, nothing happens to them. */
export const untouched: readonly object[] = [
  pod("still", {
    containers: [
      container(counter),
      container("while :; do curl -s -m 2 http://web.default.svc.cluster.local/ && echo; sleep 0.2; done", {
        name: "client",
      }),
    ],
  }),
  pod("still-users", { hostUsers: false, containers: [container(counter)] }),
  pod("still-shared", {
    shareProcessNamespace: true,
    containers: [
      container(counter, {
        volumeMounts: [{ name: "settings", mountPath: "/mnt" }],
        // Patient: that a busy machine is slow is no reason to restart it.
        livenessProbe: { exec: { command: ["true"] }, periodSeconds: 1, timeoutSeconds: 30 },
      }),
    ],
    volumes: [{ name: "settings", configMap: { name: "settings" } }],
  }),
];

/** What the rest needs: a quota, settings, and the Services. */
export const surroundings: readonly (readonly [resource: string, object: object])[] = [
  [
    "resourcequotas",
    {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "all" },
      spec: { hard: { pods: "40", "requests.cpu": "20", "count/configmaps": "20", services: "10" } },
    },
  ],
  [
    "configmaps",
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data: { number: "0" } },
  ],
  [
    "secrets",
    { apiVersion: "v1", kind: "Secret", metadata: { name: "password" }, stringData: { word: "pea" } },
  ],
  ["services", service("web", { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] })],
  ["services", service("db", { clusterIP: "None", selector: { app: "db" }, ports: [{ port: 5432 }] })],
];

function service(name: string, spec: object): object {
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
}

const deployment = (name: string, replicas: number): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          container("cd /mnt; hostname > index.html; exec python3 -m http.server 8080", {
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
            volumeMounts: [{ name: "pages", mountPath: "/mnt" }],
          }),
        ],
        volumes: [{ name: "pages", emptyDir: {} }],
      },
    },
  },
});

const statefulSet = (replicas: number): object => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "db" },
  spec: {
    replicas,
    serviceName: "db",
    selector: { matchLabels: { app: "db" } },
    template: {
      metadata: { labels: { app: "db" } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [container(forever, { volumeMounts: [{ name: "data", mountPath: "/mnt" }] })],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: "data" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
      },
    ],
  },
});

const job = (name: string): object => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: {
    completions: 2,
    parallelism: 2,
    // A pod that the kill left without a word of its end is run again.
    backoffLimit: 20,
    template: {
      metadata: { labels: { app: name } },
      spec: {
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 1,
        initContainers: [container(forever, { name: "sidecar", restartPolicy: "Always" })],
        containers: [container("sleep 0.5; echo done")],
      },
    },
  },
});

const hooks = {
  lifecycle: {
    postStart: { exec: { command: ["true"] } },
    preStop: { exec: { command: ["sleep", "0.2"] } },
  },
  startupProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
  readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
};

/** Pods of every kind, by what becomes of them; all but `blocked` and `crashing` are to be Ready in the end. */
const lonePods: readonly [() => object, ...(() => object)[]] = [
  () => ({ containers: [container(forever), container(forever, { name: "second" })] }),
  () => ({ containers: [container(forever, hooks)] }),
  () => ({ hostUsers: false, containers: [container(forever, hooks)] }),
  () => ({
    shareProcessNamespace: true,
    initContainers: [
      container("sleep 0.2"),
      container(forever, { name: "side", restartPolicy: "Always" }),
    ].map((each, index) => ({ ...each, name: `init-${index}` })),
    containers: [container(forever)],
  }),
  () => ({
    containers: [
      container(forever, {
        volumeMounts: [
          { name: "memory", mountPath: "/mnt" },
          { name: "password", mountPath: "/media" },
          { name: "settings", mountPath: "/srv", subPath: "number" },
        ].slice(0, 2),
      }),
    ],
    volumes: [
      { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      { name: "password", secret: { secretName: "password" } },
      { name: "settings", configMap: { name: "settings" } },
    ],
  }),
  () => ({ hostNetwork: true, containers: [container(forever)] }),
];

const brokenPods: readonly [() => object, ...(() => object)[]] = [
  () => ({ containers: [container("sleep 0.3; false")] }),
  () => ({ containers: [container("", { command: ["/no/such/program"] })] }),
  () => ({ containers: [container(forever, { image: "127.0.0.1:1/not/there:1" })] }),
  () => ({
    containers: [container(forever, { volumeMounts: [{ name: "gone", mountPath: "/mnt" }] })],
    volumes: [{ name: "gone", configMap: { name: "not-there" } }],
  }),
];

/** What is asked of the API in a run, and so what has to be there in the end. */
export class Operations {
  readonly #api: Api;
  readonly #random: Random;
  #made = 0;

  constructor(api: Api, random: Random) {
    this.#api = api;
    this.#random = random;
  }

  /** One operation at random; what it was, and the answer's status. */
  async next(): Promise<string> {
    const [name, run] = this.#random.pick(this.#all);
    const answer = await run();
    return `${name}: ${answer?.status ?? "nothing to do"}`;
  }

  readonly #all: readonly [
    [string, () => Promise<Answer | undefined>],
    ...[string, () => Promise<Answer | undefined>][],
  ] = [
    ["create lone pod", () => this.#createPod(lonePods, "ready")],
    ["create lone pod", () => this.#createPod(lonePods, "ready")],
    ["create broken pod", () => this.#createPod(brokenPods, "broken")],
    ["delete pod", () => this.#deletePod("")],
    ["delete pod", () => this.#deletePod("")],
    ["delete pod by force", () => this.#deletePod("?gracePeriodSeconds=0")],
    ["create and delete at once", () => this.#createAndDelete()],
    ["resize", () => this.#resize()],
    ["edit settings", () => this.#editSettings()],
    ["create web", () => this.#api.create("deployments", deployment("web", 1 + this.#random.below(3)))],
    ["roll web out", () => this.#rollOut("deployments", "web")],
    ["scale web", () => this.#scale("deployments", "web", this.#random.below(4))],
    ["delete web", () => this.#deleteWorkload("deployments", "web", 0.3)],
    ["create db", () => this.#api.create("statefulsets", statefulSet(1 + this.#random.below(2)))],
    ["roll db out", () => this.#rollOut("statefulsets", "db")],
    ["scale db", () => this.#scale("statefulsets", "db", this.#random.below(3))],
    ["delete db", () => this.#deleteWorkload("statefulsets", "db", 0.3)],
    ["create job", () => this.#createJob()],
    ["delete job", () => this.#deleteAny("jobs")],
    ["create service", () => this.#createService()],
    ["delete service", () => this.#deleteService()],
  ];

  async #createPod(specs: readonly [() => object, ...(() => object)[]], fate: string) {
    if ((await this.#pods()).length > 12) return undefined;
    this.#made += 1;
    const spec = this.#random.pick(specs)();
    return this.#api.create("pods", pod(`lone-${this.#made}`, spec, { fate, app: "lone" }));
  }

  async #createAndDelete() {
    await this.#createPod(lonePods, "ready");
    if (this.#random.happens(0.5))
      await new Promise((resolve) => setTimeout(resolve, this.#random.below(400)));
    const forced = this.#random.happens(0.5) ? "?gracePeriodSeconds=0" : "";
    return this.#api.remove("pods", `lone-${this.#made}`, forced);
  }

  async #deletePod(query: string) {
    const name = this.#any(await this.#pods());
    return name === undefined ? undefined : this.#api.remove("pods", name, query);
  }

  async #resize() {
    const name = this.#any((await this.#pods()).filter((each) => /^(lone|web)/.test(each)));
    if (name === undefined) return undefined;
    const cpu = `${100 + this.#random.below(400)}m`;
    const containers = [{ name: "main", resources: { limits: { cpu, memory: "96Mi" } } }];
    return this.#api.patch("pods", name, { spec: { containers } }, "/resize");
  }

  #editSettings() {
    return this.#api.patch("configmaps", "settings", { data: { number: String(this.#random.below(1000)) } });
  }

  #rollOut(resource: string, name: string) {
    const env = [{ name: "VERSION", value: String(this.#random.below(1000)) }];
    const containers = [{ name: "main", env }];
    return this.#api.patch(resource, name, { spec: { template: { spec: { containers } } } });
  }

  #scale(resource: string, name: string, replicas: number) {
    return this.#api.patch(resource, name, { spec: { replicas } });
  }

  async #deleteWorkload(resource: string, name: string, probability: number) {
    if (!this.#random.happens(probability)) return undefined;
    const policy = this.#random.pick(["Foreground", "Background"]);
    return this.#api.remove(resource, name, `?propagationPolicy=${policy}`);
  }

  async #createJob() {
    if ((await this.#names("jobs")).length > 2) return undefined;
    this.#made += 1;
    return this.#api.create("jobs", job(`job-${this.#made}`));
  }

  async #deleteAny(resource: string) {
    const name = this.#any(await this.#names(resource));
    return name === undefined
      ? undefined
      : this.#api.remove(
          resource,
          name,
          `?propagationPolicy=${this.#random.pick(["Foreground", "Background"])}`,
        );
  }

  async #createService() {
    this.#made += 1;
    const selector = { app: this.#random.pick(["lone", "web", "nobody"]) };
    return this.#api.create(
      "services",
      service(`extra-${this.#made}`, { selector, ports: [{ port: 8080 }] }),
    );
  }

  async #deleteService() {
    const name = this.#any((await this.#names("services")).filter((each) => each.startsWith("extra")));
    return name === undefined ? undefined : this.#api.remove("services", name);
  }

  async #pods(): Promise<string[]> {
    return (await this.#names("pods")).filter((name) => !name.startsWith("still"));
  }

  async #names(resource: string): Promise<string[]> {
    return (await this.#api.list(resource).catch(() => [])).map(({ metadata }) => metadata.name);
  }

  #any(names: readonly string[]): string | undefined {
    return names[this.#random.below(names.length)];
  }
}
