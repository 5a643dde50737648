import type { Container } from "../kube/types.ts";

const dockerHosts = new Set([
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "registry.hub.docker.com",
]);

/** An image's name without tag and digest, and without the registry where that is Docker Hub: `bitnami/redis`. */
export function repositoryOf(image: string): string {
  const name = (image.split("@")[0] ?? "").replace(/:[^/:]*$/, "");
  const [host = "", ...rest] = name.split("/");
  return rest.length > 0 && dockerHosts.has(host) ? rest.join("/") : name;
}

/**
 * The name of the Docker Official Image (https://hub.docker.com/_/NAME) that this is, also when it comes from a
 * mirror that keeps `library/` in the path; undefined for any other image.
 */
export function officialImage(container: Container): string | undefined {
  const repository = repositoryOf(container.image ?? "");
  const match = /^(?:.*\/)?library\/([^/]+)$/.exec(repository) ?? /^([^/]+)$/.exec(repository);
  return match?.[1];
}

/** TCP ports on which official images listen when nobody tells them otherwise. */
const serverPorts: Readonly<Record<string, readonly number[]>> = {
  nginx: [80],
  httpd: [80],
  caddy: [80, 443, 2019],
  redis: [6379],
  valkey: [6379],
  memcached: [11211],
  postgres: [5432],
  mysql: [3306, 33060],
  mariadb: [3306],
  mongo: [27017],
};

/** The TCP ports of a container that runs an official server image; undefined for any other. */
export function defaultPorts(container: Container): readonly number[] | undefined {
  const name = officialImage(container);
  return name !== undefined && Object.hasOwn(serverPorts, name) ? serverPorts[name] : undefined;
}
