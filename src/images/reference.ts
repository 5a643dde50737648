import { PeapodError } from "../base/errors.ts";

/** An image reference, completed as the container runtimes of Kubernetes do it. */
export interface ImageReference {
  /** Registry host, with port if one was given: `docker.io`. */
  readonly registry: string;
  /** `library/alpine`. */
  readonly repository: string;
  /** Absent where a digest says which image is meant. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const host =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const maximumNameLength = 255;

/**
 * Reads an image reference by the grammar of https://pkg.go.dev/github.com/distribution/reference and completes
 * it: no registry means docker.io, no folder there means `library/`, no tag means `latest`. A digest makes a tag
 * beside it meaningless (https://kubernetes.io/docs/concepts/containers/images/#image-names).
 * Throws InvalidImageName, whose message says which part is wrong and what is allowed.
 */
export function parseReference(image: string): ImageReference {
  const fail = (reason: string): never => {
    throw new PeapodError("InvalidImageName", `couldn't parse image name "${image}": ${reason}`);
  };
  if (image === "") return fail("it is empty");
  if (/\s/.test(image)) return fail("it contains white space");
  if (image.includes("://")) return fail("a scheme such as https:// does not belong to an image name");

  const at = image.indexOf("@");
  const digest = at === -1 ? undefined : image.slice(at + 1);
  const named = at === -1 ? image : image.slice(0, at);
  if (digest !== undefined) checkDigest(digest, fail);

  const slash = named.lastIndexOf("/");
  const colon = named.indexOf(":", slash + 1);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  const name = colon === -1 ? named : named.slice(0, colon);
  if (tag !== undefined && !tagPattern.test(tag)) {
    fail(`tag "${tag}" must be 1 to 128 letters, digits, "_", "." or "-" and start with none of "." and "-"`);
  }

  const { registry, repository } = splitRegistry(name);
  if (!host.test(registry)) fail(`"${registry}" is no host name with an optional port`);
  for (const part of repository.split("/")) {
    if (part === "") fail("a part between two slashes is empty");
    if (/[A-Z]/.test(part)) fail(`repository name "${repository}" must be lowercase`);
    if (!component.test(part)) {
      fail(`"${part}" may only hold lowercase letters and digits, with ".", "_", "__" or "-" between them`);
    }
  }
  if (/^[a-f0-9]{64}$/.test(named)) fail("64 hexadecimal digits are an image ID, not a name");
  if (`${registry}/${repository}`.length > maximumNameLength) {
    fail(`the name is longer than ${maximumNameLength} characters`);
  }
  return { registry, repository, tag: digest === undefined ? (tag ?? "latest") : undefined, digest };
}

/** The full name: `docker.io/library/alpine:latest` or `docker.io/library/alpine@sha256:…`. */
export function fullName(reference: ImageReference): string {
  const { digest, tag } = reference;
  return `${repositoryName(reference)}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}

/** The full name without tag or digest. */
export function repositoryName({ registry, repository }: ImageReference): string {
  return `${registry}/${repository}`;
}

/** The first part is a registry if it could not be the first part of a path on docker.io. */
function splitRegistry(name: string): { registry: string; repository: string } {
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const isRegistry = /[.:A-Z[]/.test(first) || first === "localhost";
  const registry = isRegistry && first !== "index.docker.io" ? first : "docker.io";
  const path = isRegistry ? name.slice(slash + 1) : name;
  const repository = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  return { registry, repository };
}

function checkDigest(digest: string, fail: (reason: string) => never): void {
  const [algorithm = "", hex] = digest.split(":", 2);
  const length = digestLengths[algorithm];
  if (hex === undefined || length === undefined) {
    fail(`digest "${digest}" must be sha256:, sha384: or sha512: and hexadecimal digits`);
  }
  if (hex.length !== length || !/^[a-f0-9]*$/.test(hex)) {
    fail(`digest "${digest}" must have ${length} lowercase hexadecimal digits after "${algorithm}:"`);
  }
}
