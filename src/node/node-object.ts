import { kubernetesTime } from "../base/clock.ts";
import { isNotFound } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { KubernetesNode } from "../kube/types.ts";
import type { NameService } from "../network/services/types.ts";
import type { FirewallObstacle } from "../network/types.ts";
import type { RuntimeHandler } from "../runtime/types.ts";
import type { Store } from "../store/types.ts";
import { networkCondition } from "./network-condition.ts";

/** What the Node object says; gathered by the daemon, since the agent knows nothing of Linux. */
export interface NodeDescription {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Bytes in huge pages by resource name (`hugepages-2Mi`), sizes without a page too. */
  readonly hugePages: Readonly<Record<string, number>>;
  /** Size of the disk that holds pods' files. */
  readonly diskBytes: number;
  readonly runtimeHandlers: readonly RuntimeHandler[];
  readonly podCIDR: string | undefined;
  readonly systemInfo: {
    readonly architecture: string;
    readonly bootID: string;
    readonly containerRuntimeVersion: string;
    readonly kernelVersion: string;
    readonly kubeletVersion: string;
    readonly machineID: string;
    readonly osImage: string;
  };
}

type MachineSize = Pick<NodeDescription, "cpus" | "memoryBytes" | "hugePages" | "diskBytes">;

/** Pods that one node runs at most (kubelet's default maxPods). */
const maxPods = "110";

/**
 * Makes this machine's Node object, or brings it up to date. `names` becomes the condition `ServiceNames`, `obstacles`
 * are what `NetworkUnavailable` is about.
 */
export function registerNode(
  store: Store,
  description: NodeDescription,
  { names, obstacles }: { names: NameService; obstacles: readonly FirewallObstacle[] },
  scope: Scope,
): void {
  const key = { resource: "nodes", namespace: "", name: description.name };
  const status = nodeStatus(description, names, obstacles, kubernetesTime(scope.clock.now()));
  try {
    store.update(key, (current) => ({ ...current, status }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    store.create("nodes", {
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name: description.name,
        labels: {
          "kubernetes.io/arch": description.systemInfo.architecture,
          "kubernetes.io/hostname": description.name,
          "kubernetes.io/os": "linux",
        },
      },
      spec: {},
      status,
    });
  }
}

/** What the machine has. */
function nodeCapacity({ cpus, memoryBytes, hugePages, diskBytes }: MachineSize): Record<string, string> {
  return {
    cpu: String(cpus),
    "ephemeral-storage": kibibytes(diskBytes),
    ...Object.fromEntries(
      Object.entries(hugePages).map(([name, bytes]) => [name, bytes === 0 ? "0" : kibibytes(bytes)]),
    ),
    memory: kibibytes(memoryBytes),
    pods: maxPods,
  };
}

/** What its pods may use: nothing is set aside, but memory in huge pages is there for those who ask for them only. */
export function nodeResources(size: MachineSize): Record<string, string> {
  const inHugePages = Object.values(size.hugePages).reduce((sum, bytes) => sum + bytes, 0);
  return { ...nodeCapacity(size), memory: kibibytes(size.memoryBytes - inHugePages) };
}

function kibibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024)}Ki`;
}

function nodeStatus(
  description: NodeDescription,
  names: NameService,
  obstacles: readonly FirewallObstacle[],
  now: string,
): NonNullable<KubernetesNode["status"]> {
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  });
  return {
    addresses: [
      ...description.addresses.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: description.name },
    ],
    runtimeHandlers: [...description.runtimeHandlers],
    features: { supplementalGroupsPolicy: true },
    capacity: nodeCapacity(description),
    allocatable: nodeResources(description),
    conditions: [
      networkCondition(obstacles, now),
      condition(
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
      ),
      condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
      condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
      names.ok
        ? condition(
            "ServiceNames",
            "True",
            "NameServerServes",
            `pods ask ${names.address} for names of Services`,
          )
        : condition("ServiceNames", "False", "NoNameServer", names.reason),
      condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ],
    nodeInfo: {
      ...description.systemInfo,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      systemUUID: description.systemInfo.machineID,
    },
  };
}
