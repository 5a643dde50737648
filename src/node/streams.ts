import { PeapodError } from "../base/errors.ts";
import type { StoredPod } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { instancesOf } from "./instances.ts";
import { containerID } from "./status/container-status.ts";
import type { ContainerName, NodeStreams } from "./types.ts";

/** Logs, exec, attach and ports of the containers on this node, with the kubelet's answers where there is nothing to give. */
export function nodeStreams({ runtime, store }: AgentDependencies): NodeStreams {
  const instances = (target: ContainerName): ContainerRecord[] =>
    instancesOf(
      runtime.listContainers().filter((record) => record.podUID === target.podUID),
      target.container,
    );

  const waitingReason = ({ namespace, pod, container }: ContainerName): string => {
    const { status } = store.get({ resource: "pods", namespace, name: pod }) as unknown as StoredPod;
    const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    const waiting = statuses.find(({ name }) => name === container)?.state?.waiting;
    return waiting?.message ?? waiting?.reason ?? "ContainerCreating";
  };

  const running = (target: ContainerName): ContainerRecord => {
    const record = instances(target)[0];
    if (record?.phase === "Running") return record;
    throw new PeapodError("BadRequest", `container ${target.container} in pod ${target.pod} is not running`);
  };

  return {
    async readLog(target, { previous, containerID: wanted, ...options }, scope) {
      const found = instances(target);
      const record =
        wanted === undefined ? found[previous ? 1 : 0] : found.find((each) => containerID(each) === wanted);
      if (record === undefined) {
        const name = `container "${target.container}" in pod "${target.pod}"`;
        if (previous) throw new PeapodError("BadRequest", `previous terminated ${name} not found`);
        if (found.length > 0)
          throw new PeapodError("BadRequest", `${name} has no instance ${wanted} any more`);
        throw new PeapodError("BadRequest", `${name} is waiting to start: ${waitingReason(target)}`);
      }
      return runtime.readLog(record, previous ? { ...options, follow: false } : options, scope);
    },

    async exec(target, request, scope) {
      return runtime.exec(running(target).id, request, scope);
    },

    async attach(target, request, scope) {
      return runtime.attach(running(target).id, request, scope);
    },

    async connectToPort({ pod, podUID }, port, scope) {
      const sandbox = runtime.listSandboxes().find((each) => each.podUID === podUID);
      if (sandbox === undefined) throw new PeapodError("BadRequest", `pod ${pod} is not running`);
      return runtime.connectToPort(sandbox, port, scope);
    },
  };
}
