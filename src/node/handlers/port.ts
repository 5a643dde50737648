import type { Container } from "../../kube/types.ts";

/**
 * The number of a port that a probe or hook names: a number, a number as text, or the name of one of the
 * container's ports. Throws an Error with the kubelet's words for one that is not there.
 */
export function portNumber(port: number | string, container: Container): number {
  if (typeof port === "number") return inRange(port);
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  if (named !== undefined) return inRange(named);
  if (/^\d+$/.test(port)) return inRange(Number(port));
  throw new Error(`port ${port} not found`);
}

function inRange(port: number): number {
  if (port > 0 && port < 65_536) return port;
  throw new Error(`invalid port number: ${port}`);
}

/** Host and port as they stand in a URL: an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
