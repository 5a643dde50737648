import { PeapodError } from "../base/errors.ts";
import type { Image } from "../images/types.ts";
import type { Container, StoredPod } from "../kube/types.ts";
import type { ContainerConfig, ContainerMount } from "../runtime/types.ts";
import { expandReferences } from "./expansion.ts";

/** What a container's configuration is made of. */
export interface ConfigParts {
  readonly pod: StoredPod;
  readonly container: Container;
  readonly attempt: number;
  readonly image: Image;
  readonly rootfs: string;
  /** What `env` and `envFrom` ask for, resolved. */
  readonly variables: ReadonlyMap<string, string>;
  readonly mounts: readonly ContainerMount[];
  readonly hostname: string;
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Puts together what the runtime needs of a container: command and arguments (the image's where the specification
 * has none), environment over the image's, volumes. Throws CreateContainerConfigError. Pure.
 */
export function containerConfig(parts: ConfigParts): ContainerConfig {
  const { pod, container, attempt, image, rootfs } = parts;
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
    command: commandLine(container, image, parts.variables),
    env: environment(image, parts.hostname, parts.variables),
    mounts: parts.mounts,
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
