import type { Scope } from "../base/scope.ts";
import type { UserNamespace } from "../host/user-namespace.ts";

/** The part of an OCI image configuration that starts a container (OCI image-spec, config.md). */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly stopSignal: string | undefined;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
}

/** An image that is on this machine, unpacked. */
export interface Image {
  /** `sha256:` digest of the image configuration; `host` for the host image. */
  readonly id: string;
  /** Full names with tag, e.g. `docker.io/library/alpine:latest`. */
  readonly names: readonly string[];
  /** Full names with digest, e.g. `docker.io/library/alpine@sha256:…`. */
  readonly digests: readonly string[];
  /** Bytes on disk. */
  readonly size: number;
  readonly config: ImageConfig;
}

export type PullPolicy = "Always" | "IfNotPresent" | "Never";

/** A login to a registry, as a Docker configuration has it. */
export interface RegistryCredentials {
  /** Host, host and path, or a URL; `*` stands for any part of a host name. */
  readonly registry: string;
  /** `user:password` in base64. */
  readonly auth: string;
}

/** What is happening to a pull, for progress lines and events. */
export interface PullProgress {
  readonly message: string;
}

export interface PullRequest {
  readonly image: string;
  readonly policy: PullPolicy;
  readonly credentials?: readonly RegistryCredentials[];
  readonly onProgress?: (progress: PullProgress) => void;
}

/**
 * Images of one node: pulled or loaded once, layers unpacked once and shared by overlayfs between containers.
 * Everything is idempotent and safe to call for different images at once; two pulls of one image join.
 */
export interface ImageService {
  /**
   * The image, present and unpacked. Asks the registry as `policy` says
   * (https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy). `hostImageName` of kube/peapod-names.ts is
   * always present. Throws ErrImagePull, ErrImageNeverPull or InvalidImageName, message fit for a pod event.
   * `pulled` says whether a registry was asked and how long that took. Credentials that cover the image are tried one
   * after the other before those of the machine.
   */
  ensure(
    request: PullRequest,
    scope: Scope,
  ): Promise<{ image: Image; pulled: { milliseconds: number } | undefined }>;
  list(scope: Scope): Promise<readonly Image[]>;
  /** Loads `docker-archive:FILE`, `oci-archive:FILE`, `oci:FOLDER` or a plain file of one of these kinds. */
  load(source: string, scope: Scope): Promise<Image>;
  /** Removes the image by name, digest or id; layers that nothing else uses go with it. NotFound if absent. */
  remove(reference: string, scope: Scope): Promise<void>;
  /** Removes images that no id in `inUse` names, as the kubelet's image garbage collection would. */
  collectGarbage(inUse: ReadonlySet<string>, scope: Scope): Promise<readonly string[]>;
  /**
   * Mounts a writable root file system for a container: overlayfs with the image's layers below and an own
   * upper folder. Returns its path. Calling it again for the same container returns the same mount. With a user
   * namespace its users own the files. Throws CreateContainerError.
   */
  mountRootfs(
    containerID: string,
    image: Image,
    userNamespace: UserNamespace | undefined,
    scope: Scope,
  ): Promise<string>;
  /** Folder of this machine that holds what the container has written to its root file system. */
  writableFolder(containerID: string): string;
  /** Unmounts and deletes a container's root file system; done when there is none. */
  removeRootfs(containerID: string, scope: Scope): Promise<void>;
  /** Containers that have a root file system here, mounted or not. */
  listRootfs(): readonly string[];
}
