import type { Pod } from "../kube/types.ts";
import { declaredPorts } from "./declared-ports.ts";
import { resolvePath } from "./mounted-path.ts";
import { type PodView, viewPod } from "./pod-view.ts";

/** How the containers of a pod can reach each other, by what its manifest makes them share. */
export interface WaysToTalk {
  /** Those that run side by side. */
  readonly containers: readonly string[];
  /** In words, e.g. `localhost (TCP, UDP, abstract sockets)`; empty for a single container. */
  readonly ways: readonly string[];
  /** What the manifest's containerPorts come to, e.g. `8080/TCP (server)`. */
  readonly declaredPorts: readonly string[];
}

/**
 * The ways that a pod's manifest opens between its containers: shared network and IPC namespaces always, a volume
 * that two of them mount (and one may write to), processes when they are shared
 * (https://kubernetes.io/docs/concepts/workloads/pods/#how-pods-manage-multiple-containers).
 */
export function waysToTalk(pod: Pod, kind: string): WaysToTalk {
  const view = viewPod(pod, kind, new Set());
  const containers = view.running.map(({ name }) => name);
  const ports = view.running
    .flatMap(declaredPorts)
    .map(({ number, protocol, view: { name } }) => `${number}/${protocol} (${name})`);
  if (containers.length < 2) return { containers, ways: [], declaredPorts: ports };
  const { hostNetwork, hostIPC, hostPID, shareProcessNamespace } = view.spec;
  const ways = [
    `localhost${hostNetwork === true ? " of the node" : ""} (TCP, UDP, abstract Unix sockets)`,
    `${hostIPC === true ? "the node's IPC" : "IPC"} (System V, POSIX message queues${hasOneShm(view) ? ", /dev/shm" : ""})`,
    ...sharedVolumes(view).map((volume) => `volume ${volume} (Unix sockets, FIFOs, files)`),
    ...(shareProcessNamespace === true || hostPID === true
      ? [`${hostPID === true ? "the node's " : ""}processes (signals, /proc/PID/root)`]
      : []),
  ];
  return { containers, ways, declaredPorts: ports };
}

/** One line for a person, without the pod's name. */
export function describeWays({ containers, ways, declaredPorts: ports }: WaysToTalk): string {
  const declared =
    ports.length === 0 ? "" : `; containerPort ${ports.join(", ")} opens nothing, it is documentation`;
  if (containers.length === 0) return "no containers";
  if (containers.length === 1)
    return `one container, ${containers[0]}, with nobody to talk to inside the pod${declared}`;
  return `${containers.join(", ")} can talk through ${ways.join("; ")}. No port has to be declared${declared}`;
}

function hasOneShm(view: PodView): boolean {
  return new Set(view.running.map((container) => shmKey(container, view))).size === 1;
}

function shmKey(container: PodView["running"][number], { spec }: PodView): string {
  const { volume, key } = resolvePath(container, "/dev/shm", spec);
  return volume === undefined ? "" : key;
}

/** Volumes by which one container can hand something to another. */
function sharedVolumes({ spec, running }: PodView): string[] {
  return (spec.volumes ?? []).flatMap(({ name }) => {
    const mounts = running.map(({ container }) =>
      (container.volumeMounts ?? []).filter((mount) => mount.name === name),
    );
    const shared = mounts.filter((list) => list.length > 0).length > 1;
    const written = mounts.flat().some(({ readOnly }) => readOnly !== true);
    return name !== undefined && shared && written && !isReadOnlyVolume(spec, name) ? [name] : [];
  });
}

/** Volumes that Kubernetes fills and containers can't change. */
function isReadOnlyVolume({ volumes }: PodView["spec"], name: string): boolean {
  const volume = (volumes ?? []).find((one) => one.name === name);
  return ["configMap", "secret", "downwardAPI", "projected", "image"].some((source) =>
    Object.hasOwn(volume ?? {}, source),
  );
}
