import { explain, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { initAndAppContainers } from "../kube/pod-containers.ts";
import { hostnameFor, hostsFile, resolvConfFor } from "../kube/pod-files.ts";
import type { StoredPod } from "../kube/types.ts";
import type { HostPort, PodNetwork } from "../network/types.ts";
import type { Sandbox } from "../runtime/types.ts";
import type { MountedVolume } from "../volumes/types.ts";
import { volumeContents } from "./configuration/volume-contents.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { runtimeHandler } from "./runtime-handler.ts";

/** What a pod's containers need before they can be made. */
export interface PodEnvironment {
  readonly sandbox: Sandbox;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly hostname: string;
  /**
   * The pod's addresses. Still under way when containers are created, since they only need it from
   * their start on; whoever starts one awaits it.
   */
  readonly network: Promise<PodNetwork>;
}

/**
 * Makes the pod's sandbox, volumes and network, or finds them when they were made before. Throws
 * FailedCreatePodSandBox or FailedMount; what was made until then stays and is found by the next try or removed
 * with the pod.
 */
export async function prepareEnvironment(
  pod: StoredPod,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<PodEnvironment> {
  const { runtime } = dependencies;
  const creating = failingAs("FailedCreatePodSandBox", "create pod sandbox", () =>
    runtime.createSandbox(pod, runtimeHandler(pod, dependencies.store), scope),
  );
  creating.catch(() => {});
  const mounted = mountVolumes(pod, creating, dependencies, scope);
  mounted.catch(() => {});
  const sandbox = await creating;
  // Containers are created while the network is still being set up, and need the files to be there by then.
  writeFiles(pod, sandbox, dependencies.network.find(pod.metadata.uid)?.ips ?? [], dependencies);
  const network = failingAs("FailedCreatePodSandBox", "set up the pod's network", () =>
    connect(pod, sandbox, dependencies, scope),
  );
  network.catch(() => {});
  return { sandbox, volumes: await mounted, hostname: hostnameFor(pod), network };
}

async function mountVolumes(
  pod: StoredPod,
  sandbox: Promise<Sandbox>,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<ReadonlyMap<string, MountedVolume>> {
  return dependencies.volumes.mount(pod, await volumeContents(pod, sandbox, dependencies, scope), scope);
}

async function connect(
  pod: StoredPod,
  sandbox: Sandbox,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<PodNetwork> {
  const { network, hostIPs } = dependencies;
  const attached =
    sandbox.netns === undefined
      ? { ips: hostIPs }
      : await network.attach(
          {
            podUID: pod.metadata.uid,
            namespace: pod.metadata.namespace,
            name: pod.metadata.name,
            netns: sandbox.netns,
            hostPorts: hostPorts(pod),
          },
          scope,
        );
  writeFiles(pod, sandbox, attached.ips, dependencies);
  return attached;
}

function writeFiles(
  pod: StoredPod,
  sandbox: Sandbox,
  ips: readonly string[],
  { runtime, hostFiles, services }: AgentDependencies,
): void {
  const host = hostFiles();
  const names = services.names();
  runtime.writeSandboxFiles(sandbox, {
    hosts: hostsFile(pod, ips, host.hosts),
    hostname: `${hostnameFor(pod)}\n`,
    resolvConf: resolvConfFor(pod, host.resolvConf, names.ok ? names.address : undefined),
  });
}

function hostPorts(pod: StoredPod): HostPort[] {
  const containers = initAndAppContainers(pod.spec);
  return containers
    .flatMap((container) => container.ports ?? [])
    .filter((port) => port.hostPort !== undefined)
    .map((port) => ({
      hostPort: port.hostPort as number,
      containerPort: port.containerPort,
      protocol: (port.protocol ?? "TCP") as HostPort["protocol"],
      hostIP: port.hostIP ?? "",
    }));
}

async function failingAs<T>(
  code: "FailedCreatePodSandBox",
  attempted: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new PeapodError(code, `${attempted}: ${explain(error)}`, { cause: error });
  }
}
