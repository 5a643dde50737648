import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Scope } from "../base/scope.ts";
import { readFileIfExists, writeFileAtomically } from "../host/files.ts";
import type { Layout } from "../host/layout.ts";
import { ensureCertificate, type KeyPairFiles } from "../host/openssl.ts";
import { clusterDomain } from "../kube/pod-files.ts";

/** The node's own authority and what it signed, as PEM text, and the administrator's token. */
export interface Credentials {
  readonly authority: string;
  readonly server: { readonly certificate: string; readonly key: string };
  readonly admin: { readonly certificate: string; readonly key: string };
  readonly adminToken: string;
}

const authorityDays = 3650;
const leafDays = 365;

/**
 * Reads the credentials below the state folder, or makes what is missing or about to end. Nothing leaves the
 * machine: keys stay in a folder that only root can enter.
 */
export async function ensureCredentials(
  layout: Layout,
  addresses: readonly string[],
  hostname: string,
  scope: Scope,
): Promise<Credentials> {
  const folder = join(layout.stateDir, "pki");
  const authority = await ensureCertificate(
    folder,
    { name: "ca", subject: "/CN=peapod-ca", days: authorityDays, usage: "authority" },
    undefined,
    scope,
  );
  const service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const names = ["localhost", hostname, ...service, `kubernetes.default.svc.${clusterDomain}`];
  const ips = new Set(["127.0.0.1", "::1", ...addresses]);
  const [server, admin] = await Promise.all([
    ensureCertificate(
      folder,
      {
        name: "server",
        subject: "/CN=peapod",
        days: leafDays,
        usage: "server",
        alternativeNames: [...names.map((name) => `DNS:${name}`), ...[...ips].map((ip) => `IP:${ip}`)].join(
          ",",
        ),
      },
      authority,
      scope,
    ),
    ensureCertificate(
      folder,
      { name: "admin", subject: "/O=system:masters/CN=peapod-admin", days: leafDays, usage: "client" },
      authority,
      scope,
    ),
  ]);
  return {
    authority: readFileSync(authority.certificate, "utf8"),
    server: read(server),
    admin: read(admin),
    adminToken: ensureToken(join(folder, "admin.token")),
  };
}

function read(files: KeyPairFiles): { certificate: string; key: string } {
  return { certificate: readFileSync(files.certificate, "utf8"), key: readFileSync(files.key, "utf8") };
}

function ensureToken(path: string): string {
  const present = readFileIfExists(path)?.trim();
  if (present !== undefined && present !== "") return present;
  const token = randomBytes(32).toString("base64url");
  writeFileAtomically(path, `${token}\n`, { mode: 0o600 });
  return token;
}
