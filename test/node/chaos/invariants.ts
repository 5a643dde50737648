import type { Layout } from "../../../src/host/layout.ts";
import { parseQuantity } from "../../../src/kube/quantity.ts";
import { runCommand } from "../../helpers/peapod.ts";
import type { Api } from "./api.ts";
import { nameServers, runningTwice, strays } from "./strays.ts";

// biome-ignore lint/suspicious/noExplicitAny: the fields that a check reads
type Any = any;

/** Who the pods are that nobody touches, and which containers they have: to be the same at all times. */
export async function untouchedPods(api: Api): Promise<string[]> {
  const pods = (await api.list("pods")).filter(({ metadata }) => metadata.name.startsWith("still"));
  return pods
    .flatMap(({ metadata, status }) =>
      (status.containerStatuses ?? []).map((each: Any) =>
        [metadata.name, metadata.uid, each.name, each.containerID, each.restartCount].join(" "),
      ),
    )
    .sort();
}

/** What is not as it is wanted, and wrong if it stays so; empty once all has settled. */
export async function unsettled(api: Api, layout: Layout): Promise<string[]> {
  const pods = (await api.list("pods")) as Any[];
  const workloads = [
    ...((await api.list("deployments")) as Any[]),
    ...((await api.list("statefulsets")) as Any[]),
    ...((await api.list("jobs")) as Any[]),
  ];
  const services = (await api.list("services")) as Any[];
  const slices = (await api.list("endpointslices")) as Any[];
  const claims = (await api.list("persistentvolumeclaims")) as Any[];
  const uids = new Set<string>(pods.map(({ metadata }) => metadata.uid));
  const volumes = new Set<string>(claims.map(({ metadata }) => `pvc-${metadata.uid}`));
  return [
    ...pods.flatMap(podProblem),
    ...workloads.flatMap(workloadProblem),
    ...orphans(pods, workloads, (await api.list("replicasets")) as Any[]),
    ...runningTwice(layout).map((each) => `runs twice: ${each}`),
    ...services.flatMap((service) => endpointProblem(service, slices, pods)),
    ...(await rulesProblem(layout, services, slices)),
    ...(await quotaProblem(api, pods, services)),
    ...(nameServers(layout).length === 1 ? [] : [`name servers: ${nameServers(layout).join("; ")}`]),
    ...(await strays(layout, uids, volumes)),
  ];
}

const isReady = (pod: Any): boolean =>
  pod.status?.conditions?.some((each: Any) => each.type === "Ready" && each.status === "True") === true;

function podProblem(pod: Any): string[] {
  const { name, labels, deletionTimestamp } = pod.metadata;
  const state = `${pod.status?.phase} ${JSON.stringify(pod.status?.containerStatuses?.map((each: Any) => each.state))}`;
  if (deletionTimestamp !== undefined) return [`pod ${name} is not gone: ${state}`];
  const isOfJob = name.startsWith("job-");
  if (isOfJob && ["Succeeded", "Failed"].includes(pod.status?.phase)) return [];
  if (labels?.fate === "broken") return [];
  const conditions = (pod.status?.conditions ?? []).map((each: Any) => each.type);
  if (conditions.includes("PodResizeInProgress")) return [`pod ${name} is still being resized`];
  return isReady(pod) ? [] : [`pod ${name} is not Ready: ${state} ${pod.status?.message ?? ""}`];
}

function workloadProblem({ kind, metadata, spec, status = {} }: Any): string[] {
  const place = `${kind ?? "workload"} ${metadata.name}`;
  if (metadata.deletionTimestamp !== undefined) return [`${place} is not gone: ${metadata.finalizers}`];
  if (spec.completions !== undefined) {
    return status.succeeded === spec.completions ? [] : [`${place}: ${JSON.stringify(status)}`];
  }
  const isDone =
    status.observedGeneration === metadata.generation &&
    (status.replicas ?? 0) === spec.replicas &&
    (status.readyReplicas ?? 0) === spec.replicas &&
    (status.updatedReplicas ?? 0) === spec.replicas;
  return isDone ? [] : [`${place} of ${spec.replicas}: ${JSON.stringify(status)}`];
}

/** Pods and sets whose owner is gone. */
function orphans(pods: readonly Any[], workloads: readonly Any[], sets: readonly Any[]): string[] {
  const owners = new Set([...workloads, ...sets].map(({ metadata }) => metadata.uid));
  return [...pods, ...sets].flatMap(({ metadata }) =>
    (metadata.ownerReferences ?? [])
      .filter((each: Any) => !owners.has(each.uid))
      .map((each: Any) => `${metadata.name} belongs to ${each.kind} ${each.name}, which is gone`),
  );
}

function selected(service: Any, pods: readonly Any[]): Any[] {
  const wanted = Object.entries(service.spec.selector);
  return pods.filter(
    ({ metadata, status }) =>
      wanted.every(([key, value]) => metadata.labels?.[key] === value) &&
      !["Succeeded", "Failed"].includes(status?.phase),
  );
}

function endpointProblem(service: Any, slices: readonly Any[], pods: readonly Any[]): string[] {
  if (service.spec.selector === undefined) return [];
  const wanted = selected(service, pods).filter(isReady);
  const addresses = wanted.map(({ status }) => status.podIP).sort();
  const found = readyAddresses(service, slices);
  return String(addresses) === String(found)
    ? []
    : [`endpoints of ${service.metadata.name}: ${found}, not ${addresses}`];
}

function readyAddresses(service: Any, slices: readonly Any[]): string[] {
  return slices
    .filter(({ metadata }) => metadata.labels["kubernetes.io/service-name"] === service.metadata.name)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter((each: Any) => each.conditions?.ready !== false)
    .flatMap((each: Any) => each.addresses)
    .sort();
}

async function rulesProblem(
  layout: Layout,
  services: readonly Any[],
  slices: readonly Any[],
): Promise<string[]> {
  const { stdout } = await runCommand("nft", ["-j", "list", "table", "ip", `${layout.instance}-services`]);
  if (stdout === "") return ["no nft table of Services"];
  const elements = (set: string): Any[] => {
    const found = JSON.parse(stdout).nftables.find((each: Any) => (each.map ?? each.set)?.name === set);
    return (found?.map ?? found?.set)?.elem ?? [];
  };
  const virtual = services.filter(({ spec }) => spec.clusterIP !== "None");
  const clusterIPs = elements("cluster_ips").map(String).sort();
  const wantedIPs = virtual.map(({ spec }) => spec.clusterIP).sort();
  const backends = elements("backends").map((each) => each.concat.join(" "));
  const wanted = virtual
    .filter(({ metadata }) => metadata.name !== "kubernetes")
    .flatMap((service) =>
      readyAddresses(service, slices).map((ip) => `${ip} tcp ${service.spec.ports[0].targetPort}`),
    );
  const found = backends.filter((each) => each.endsWith(" 8080")).sort();
  return [
    ...(String(clusterIPs) === String(wantedIPs)
      ? []
      : [`cluster IPs in nft: ${clusterIPs}, not ${wantedIPs}`]),
    ...(String(found) === String([...new Set(wanted)].sort())
      ? []
      : [`backends in nft: ${found}, not ${wanted}`]),
  ];
}

async function quotaProblem(api: Api, pods: readonly Any[], services: readonly Any[]): Promise<string[]> {
  const [quota] = (await api.list("resourcequotas")) as Any[];
  const live = pods.filter(({ status }) => !["Succeeded", "Failed"].includes(status?.phase));
  const configMaps = await api.list("configmaps");
  const cpu = live.reduce((sum, { spec }) => sum + cpuOf(spec), 0n);
  const wanted: Record<string, bigint> = {
    pods: BigInt(live.length) * 1_000_000_000n,
    services: BigInt(services.length) * 1_000_000_000n,
    "count/configmaps": BigInt(configMaps.length) * 1_000_000_000n,
    "requests.cpu": cpu,
  };
  return Object.entries(wanted).flatMap(([name, amount]) => {
    const used = quota.status?.used?.[name];
    return used !== undefined && parseQuantity(used)?.nano === amount
      ? []
      : [`quota ${name}: ${used}, not ${amount}n`];
  });
}

/** The containers' and the sidecars' sum, or what one of the other init containers asks for (all of them the same). */
function cpuOf({ containers, initContainers = [] }: Any): bigint {
  const nano = (each: Any) => parseQuantity(each.resources?.requests?.cpu ?? "0")?.nano ?? 0n;
  const running = [...containers, ...initContainers.filter((each: Any) => each.restartPolicy === "Always")];
  return running.reduce((sum: bigint, each: Any) => sum + nano(each), 0n);
}
