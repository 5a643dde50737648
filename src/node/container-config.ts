import { PeapodError } from "../base/errors.ts";
import type { Image } from "../images/types.ts";
import type { Container, StoredPod } from "../kube/types.ts";
import type { ContainerConfig, ContainerMount } from "../runtime/types.ts";
import type { MountedVolume } from "../volumes/types.ts";
import { expandReferences } from "./expansion.ts";

/** What a container's configuration is made of. */
export interface ConfigParts {
  readonly pod: StoredPod;
  readonly container: Container;
  readonly attempt: number;
  readonly image: Image;
  readonly rootfs: string;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly hostname: string;
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Resolves everything that a container's specification refers to: command and arguments (the image's where the
 * specification has none), environment, volumes. Throws CreateContainerConfigError. Pure.
 */
export function containerConfig(parts: ConfigParts): ContainerConfig {
  const { pod, container, attempt, image, rootfs } = parts;
  const specified = specifiedEnvironment(container);
  return {
    pod,
    container,
    attempt,
    image: {
      id: image.id,
      reference: container.image ?? "",
      digest: image.digests[0] ?? image.id,
      env: image.config.env,
      workingDir: image.config.workingDir,
      user: image.config.user,
      stopSignal: image.config.stopSignal,
    },
    rootfs,
    command: commandLine(container, image, specified),
    env: environment(image, parts.hostname, specified),
    mounts: (container.volumeMounts ?? []).map((mount) => volumeMount(mount, parts.volumes)),
  };
}

/** https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/#notes */
function commandLine(
  container: Container,
  image: Image,
  variables: ReadonlyMap<string, string>,
): readonly string[] {
  const expand = (words: readonly string[]) => words.map((word) => expandReferences(word, variables));
  const command = container.command ?? [];
  const args = container.args ?? [];
  const line = [
    ...(command.length > 0 ? expand(command) : image.config.entrypoint),
    ...(args.length > 0 ? expand(args) : command.length > 0 ? [] : image.config.cmd),
  ];
  if (line.length === 0) {
    throw new PeapodError(
      "CreateContainerConfigError",
      `no command specified: neither container ${container.name} nor its image ${container.image} names one`,
    );
  }
  return line;
}

/** The `env` entries in order, each able to refer to those before it. */
function specifiedEnvironment(container: Container): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const { name, value } of container.env ?? []) {
    variables.set(name, expandReferences(value ?? "", variables));
  }
  return variables;
}

function environment(image: Image, hostname: string, specified: ReadonlyMap<string, string>): string[] {
  const variables = new Map([["PATH", defaultPath]]);
  for (const entry of image.config.env) {
    const split = entry.indexOf("=");
    if (split > 0) variables.set(entry.slice(0, split), entry.slice(split + 1));
  }
  if (hostname !== "") variables.set("HOSTNAME", hostname);
  for (const [name, value] of specified) variables.set(name, value);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

const propagations = {
  None: "private",
  HostToContainer: "rslave",
  Bidirectional: "rshared",
} as const;

function volumeMount(
  mount: NonNullable<Container["volumeMounts"]>[number],
  volumes: ReadonlyMap<string, MountedVolume>,
): ContainerMount {
  const volume = volumes.get(mount.name);
  if (volume === undefined) {
    throw new PeapodError("CreateContainerConfigError", `volume ${mount.name} is not mounted in the pod`);
  }
  return {
    hostPath: volume.hostPath,
    mountPath: mount.mountPath,
    readOnly: mount.readOnly ?? false,
    propagation: propagations[(mount.mountPropagation ?? "None") as keyof typeof propagations] ?? "private",
  };
}
