import type { ObservedPod, ObservedVolume } from "../channels/types.ts";
import { allContainers } from "../kube/pod-containers.ts";
import type { StoredPod } from "../kube/types.ts";
import type { MountedVolume } from "../volumes/types.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { containerCgroup, latestInstance } from "./instances.ts";
import type { PodState } from "./pod-state.ts";

/** The pods that run, as the channel observer needs them: where their namespaces, processes and volumes are. */
export function observedPods(
  states: readonly PodState[],
  { runtime, network, hostIPs, volumes }: AgentDependencies,
): ObservedPod[] {
  const sandboxes = new Map(runtime.listSandboxes().map((sandbox) => [sandbox.podUID, sandbox]));
  const records = runtime.listContainers();
  return states.flatMap((state) => {
    const sandbox = sandboxes.get(state.uid);
    if (sandbox === undefined) return [];
    const { pod } = state;
    const own = records.filter((record) => record.podUID === state.uid);
    return {
      uid: state.uid,
      namespace: pod.metadata.namespace,
      name: pod.metadata.name,
      netns: sandbox.netns,
      ipcns: sandbox.ipcns,
      cgroup: sandbox.cgroup,
      ips: network.find(state.uid)?.ips ?? hostIPs,
      shm: sandbox.shm,
      containers: allContainers(pod.spec).flatMap((container) => {
        const record = latestInstance(own, container.name);
        if (record?.phase !== "Running" || record.pid === undefined) return [];
        return {
          name: container.name,
          id: record.id,
          pid: record.pid,
          cgroup: containerCgroup(sandbox, container.name),
          ports: (container.ports ?? []).map(({ containerPort, protocol }) => ({
            containerPort,
            protocol: protocol ?? "TCP",
          })),
        };
      }),
      volumes: observedVolumes(pod, volumes.find(pod)),
    };
  });
}

function observedVolumes(pod: StoredPod, mounted: ReadonlyMap<string, MountedVolume>): ObservedVolume[] {
  const containers = allContainers(pod.spec);
  return [...mounted.values()].map(({ name, hostPath }) => ({
    name,
    hostPath,
    mounts: containers.flatMap((container) =>
      (container.volumeMounts ?? [])
        .filter((mount) => mount.name === name)
        .map(({ mountPath, subPath, readOnly }) => ({
          container: container.name,
          mountPath,
          ...(subPath === undefined ? {} : { subPath }),
          ...(readOnly === undefined ? {} : { readOnly }),
        })),
    ),
  }));
}
