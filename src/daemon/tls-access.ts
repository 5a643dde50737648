import { isIPv4 } from "node:net";
import { join } from "node:path";
import type { Scope } from "../base/scope.ts";
import { readFileIfExists, writeFileAtomically } from "../host/files.ts";
import type { Layout } from "../host/layout.ts";
import type { Backend } from "../network/services/types.ts";
import type { NodeDescription } from "../node/node-object.ts";
import { staticToken } from "../server/access/authenticate.ts";
import { authenticatedGroup, mastersGroup } from "../server/access/user.ts";
import type { TLSAccess } from "../server/server.ts";
import type { DaemonConfig } from "./config.ts";
import { ensureCredentials } from "./credentials.ts";

/**
 * How clients come in over TCP, with the node's own credentials; undefined when the configuration wants none.
 * `serviceAddress` is that of the Service `default/kubernetes`, by which pods come in.
 */
export async function tlsAccess(
  config: DaemonConfig,
  node: NodeDescription,
  serviceAddress: string,
  scope: Scope,
): Promise<TLSAccess | undefined> {
  const { layout, apiAddress } = config;
  if (apiAddress === undefined) return undefined;
  const credentials = await ensureCredentials(layout, [...node.addresses, serviceAddress], node.name, scope);
  const admin = { name: "peapod-admin", groups: [mastersGroup, authenticatedGroup] };
  return {
    host: apiAddress.host,
    port: apiAddress.port === 0 ? rememberedPort(layout) : apiAddress.port,
    ...credentials.server,
    authority: credentials.authority,
    admin: credentials.admin,
    tokens: [staticToken(credentials.adminToken, admin)],
  };
}

/**
 * Where the packets of pods that ask for the API are led; undefined where it does not listen on IPv4. Pods reach that
 * one port of the host's loopback and no other.
 */
export function apiBackend(
  tls: Pick<TLSAccess, "host"> | undefined,
  port: number | undefined,
): Backend | undefined {
  if (tls === undefined || port === undefined || tls.host === "::1") return undefined;
  return { ip: isIPv4(tls.host) && tls.host !== "0.0.0.0" ? tls.host : "127.0.0.1", port };
}

/** Keeps the port for the next start, so that kubeconfigs go on working. */
export function rememberPort(layout: Layout, port: number): void {
  writeFileAtomically(portFile(layout), `${port}\n`);
}

function rememberedPort(layout: Layout): number {
  const port = Number(readFileIfExists(portFile(layout)));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}

function portFile(layout: Layout): string {
  return join(layout.stateDir, "api-port");
}
