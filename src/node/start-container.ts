import { errorCode, explain, PeapodError } from "../base/errors.ts";
import { type Scope, uncancelled } from "../base/scope.ts";
import { withUndo } from "../base/undo-stack.ts";
import type { Image, PullPolicy } from "../images/types.ts";
import { goDuration } from "../kube/go-duration.ts";
import { hostImageName, imageFallbackAnnotation } from "../kube/peapod-names.ts";
import type { Service, StoredPod } from "../kube/types.ts";
import type { MountedVolume } from "../volumes/types.ts";
import { containerMounts } from "./configuration/container-mounts.ts";
import { pullCredentials } from "./configuration/pull-secrets.ts";
import { needsAddresses } from "./configuration/references.ts";
import { serviceVariables } from "./configuration/service-variables.ts";
import { objectsIn } from "./configuration/sources.ts";
import { containerVariables, type VariableSources } from "./configuration/variables.ts";
import { containerConfig } from "./container-config.ts";
import type { AgentDependencies } from "./dependencies.ts";
import type { PodEnvironment } from "./environment.ts";
import { targetProcess } from "./ephemeral-target.ts";
import { containerCgroup } from "./instances.ts";
import { letRun } from "./let-run.ts";
import type { StartAction } from "./plan-types.ts";
import type { PodState } from "./pod-state.ts";
import { grantedPod } from "./resize/granted-pod.ts";

/**
 * Pulls the image, makes the container, starts it and runs its postStart hook; records the kubelet's events
 * (Pulling, Pulled, Created, Started, Failed). When it throws, nothing of the container is left, except after
 * RunContainerError and PostStartHookError, whose exited instance tells the story.
 */
export async function startContainer(
  state: PodState,
  action: StartAction,
  environment: Promise<PodEnvironment>,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  const { runtime, images, events } = dependencies;
  const { pod } = state;
  const { container } = action;
  environment.catch(() => {});
  const atHand = state.imagesAtHand.get(container.name);
  const reference = container.image ?? "";
  const image =
    atHand?.reference === reference ? atHand.image : await obtainImage(state, action, dependencies, scope);
  state.imagesAtHand.set(container.name, { reference, image });

  await withUndo(scope.log, async (undo) => {
    const id = dependencies.newContainerID();
    undo.add("remove root file system", () => images.removeRootfs(id, uncancelled(scope)));
    // Only a user namespace is worth waiting for: it says who owns the files.
    const owner = pod.spec.hostUsers === false ? (await environment).sandbox.userNamespace : undefined;
    const rootfs = await images.mountRootfs(id, image, owner, scope);
    const { sandbox, volumes, hostname, network } = await environment;
    const granted = grantedPod(state, dependencies);
    const podIPs = needsAddresses(container) ? (await network).ips : [];
    const variables = containerVariables(
      granted,
      container,
      variableSources(pod, volumes, podIPs, dependencies),
    );
    const mounts = await containerMounts(pod, container, volumes, variables, dependencies, scope);
    const { attempt } = action;
    const config = containerConfig({
      pod: granted,
      container,
      attempt,
      image,
      rootfs,
      variables,
      mounts,
      hostname,
    });
    undo.add("remove container", () => runtime.removeContainer(id, uncancelled(scope)));
    const target = targetProcess(state, container, dependencies);
    await runtime.createContainer(id, sandbox, { ...config, ...target }, scope);
    installCounters(containerCgroup(sandbox, container.name), dependencies, scope);
    await network;
    events.record(pod, "Normal", "Created", `Created container ${container.name}`, scope, container.name);
    await letRun(state, container, id, undo, dependencies, scope);
  });
}

/** Counting is a convenience of the observer: a container runs without it, so a failure is only logged. */
function installCounters(cgroup: string, { counters }: AgentDependencies, scope: Scope): void {
  try {
    counters.install(cgroup);
  } catch (error) {
    scope.log.warn({ error: explain(error) }, "traffic counters not installed");
  }
}

function variableSources(
  pod: StoredPod,
  volumes: ReadonlyMap<string, MountedVolume>,
  podIPs: readonly string[],
  dependencies: AgentDependencies,
): VariableSources {
  const { store, hostIPs, allocatable } = dependencies;
  return {
    objects: objectsIn(pod.metadata.namespace, store),
    podIPs,
    hostIPs,
    allocatable,
    services: serviceVariables(pod, store.list("services").items as unknown as readonly Service[]),
    fileVariable(name, path, variable) {
      const volume = volumes.get(name);
      return volume && dependencies.volumes.readVariable(volume, path, variable);
    },
  };
}

async function obtainImage(
  state: PodState,
  { container }: StartAction,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<Image> {
  const { images, events } = dependencies;
  const { pod } = state;
  const name = container.image ?? "";
  const record = (type: "Normal" | "Warning", reason: string, message: string) =>
    events.record(pod, type, reason, message, scope, container.name);
  if (state.fallbackImages.has(name)) return hostImage(images, scope);

  let announced = false;
  try {
    const { image, pulled } = await images.ensure(
      {
        image: name,
        policy: (container.imagePullPolicy ?? "IfNotPresent") as PullPolicy,
        credentials: pullCredentials(pod, dependencies, scope),
        onProgress: () => {
          if (!announced) record("Normal", "Pulling", `Pulling image "${name}"`);
          announced = true;
        },
      },
      scope,
    );
    record("Normal", "Pulled", pulledMessage(name, image, pulled));
    return image;
  } catch (error) {
    if (scope.signal.aborted) throw error;
    const code = errorCode(error);
    record("Warning", "Failed", capitalized(summary(error)));
    const mayFallBack = pod.metadata.annotations?.[imageFallbackAnnotation] === "host";
    if (!mayFallBack || code !== "ErrImagePull") throw error;
    record(
      "Warning",
      "ImageFallback",
      `Image "${name}" can't be pulled; running on ${hostImageName}, a view of this machine's own root file system, as ${imageFallbackAnnotation} asks`,
    );
    state.fallbackImages.add(name);
    return hostImage(images, scope);
  }
}

/** The kubelet's words. Layers are not waited for in a queue here, so both of its times are one. */
function pulledMessage(name: string, { size }: Image, pulled: { milliseconds: number } | undefined): string {
  if (pulled === undefined) return `Container image "${name}" already present on machine`;
  const time = goDuration(pulled.milliseconds);
  return `Successfully pulled image "${name}" in ${time} (${time} including waiting). Image size: ${size} bytes.`;
}

async function hostImage(images: AgentDependencies["images"], scope: Scope): Promise<Image> {
  const { image } = await images.ensure({ image: hostImageName, policy: "IfNotPresent" }, scope);
  return image;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The error's own sentence; what a tool printed below it is in the daemon's log. */
export function summary(error: unknown): string {
  return error instanceof PeapodError ? error.message : explain(error);
}

/** The reason under which a failed start is shown: the error's own where the kubelet has it. */
export function startFailureReason(error: unknown): string {
  const code = errorCode(error);
  switch (code) {
    case "ErrImagePull":
    case "ErrImageNeverPull":
    case "InvalidImageName":
    case "CreateContainerConfigError":
    case "CreateContainerError":
    case "RunContainerError":
    case "PostStartHookError":
      return code;
    case "FailedCreatePodSandBox":
    case "FailedMount":
      return "ContainerCreating";
    default:
      return error instanceof PeapodError ? "CreateContainerError" : "RunContainerError";
  }
}
