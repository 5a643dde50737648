import { parseReference, repositoryName } from "./reference.ts";
import type { RegistryCredentials } from "./types.ts";

/** Docker's own name of its registry in what `docker login` writes. */
const dockerHub = "index.docker.io";

/**
 * The credentials whose key covers the image, the longest key first, as the kubelet finds them: host by host part,
 * where `*` stands for any, the same port, and the key's path a prefix of the image's
 * (https://kubernetes.io/docs/concepts/containers/images/#config-json).
 */
export function matchingCredentials(
  image: string,
  credentials: readonly RegistryCredentials[],
): readonly RegistryCredentials[] {
  const repository = repositoryName(parseReference(image));
  return credentials
    .filter(({ registry }) => covers(normalKey(registry), repository))
    .sort((a, b) => normalKey(b.registry).length - normalKey(a.registry).length);
}

/**
 * A containers-auth.json(5) that gives the image these credentials; and every registry that the others name theirs,
 * for mirrors.
 */
export function authFileContent(
  image: string,
  own: RegistryCredentials,
  others: readonly RegistryCredentials[],
): string {
  const named = others.filter(({ registry }) => !registry.includes("*"));
  const auths = Object.fromEntries([
    ...named.map(({ registry, auth }) => [normalKey(registry), { auth }]),
    [repositoryName(parseReference(image)), { auth: own.auth }],
  ]);
  return JSON.stringify({ auths });
}

/** Without scheme, and without the path of the registry's API that `docker login` adds. */
function normalKey(key: string): string {
  const name = key.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "");
  const [host, ...path] = name.split("/");
  return [host === dockerHub ? "docker.io" : host, ...path].join("/");
}

function covers(key: string, repository: string): boolean {
  const [keyHost = "", ...keyPath] = key.split("/");
  const [host = "", ...path] = repository.split("/");
  return hostMatches(keyHost, host) && path.join("/").startsWith(keyPath.join("/"));
}

function hostMatches(pattern: string, host: string): boolean {
  const [patternParts, parts] = [pattern.split("."), host.split(".")];
  return (
    patternParts.length === parts.length &&
    patternParts.every((part, index) => matchesPart(part, parts[index] ?? ""))
  );
}

function matchesPart(pattern: string, part: string): boolean {
  const expression = pattern.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${expression.join("[^:]*")}$`).test(part);
}
