import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { explain, PeapodError, systemErrorCode } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import type { ExecEntry, UserEntry } from "./kubeconfig.ts";

/** How one shows who one is: by a certificate in the handshake, by headers of every request. */
export interface Credentials {
  /** PEM text. */
  readonly certificate?: string;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** PEM text that a kubeconfig has in itself (base64) or in a file; undefined for neither. */
export function pemOf(data: string | undefined, path: string | undefined): string | undefined {
  if (data !== undefined && data !== "") return Buffer.from(data, "base64").toString();
  if (path === undefined || path === "") return undefined;
  return readNamed(path);
}

/** What a user of a kubeconfig shows. Runs the program that it names, if it does. */
export async function credentialsOf(user: UserEntry, scope: Scope): Promise<Credentials> {
  if (user["auth-provider"] !== undefined) {
    throw new PeapodError(
      "Unsupported",
      "auth-provider in a kubeconfig is not supported: use an exec plugin",
    );
  }
  const made: ExecStatus = user.exec === undefined ? {} : await runPlugin(user.exec, scope);
  const certificate =
    made.clientCertificateData ?? pemOf(user["client-certificate-data"], user["client-certificate"]);
  const key = made.clientKeyData ?? pemOf(user["client-key-data"], user["client-key"]);
  const token = made.token ?? (user.tokenFile ? readNamed(user.tokenFile).trim() : user.token);
  return {
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    headers: { ...authorization(token, user), ...impersonation(user) },
  };
}

function authorization(token: string | undefined, user: UserEntry): Record<string, string> {
  if (token !== undefined && token !== "") return { Authorization: `Bearer ${token}` };
  if (!user.username) return {};
  const pair = Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64");
  return { Authorization: `Basic ${pair}` };
}

function impersonation({ as, "as-groups": groups = [] }: UserEntry): Record<string, string> {
  if (!as) return {};
  if (groups.length > 1) {
    throw new PeapodError("Unsupported", "as-groups in a kubeconfig: only one group is supported");
  }
  return { "Impersonate-User": as, ...(groups[0] === undefined ? {} : { "Impersonate-Group": groups[0] }) };
}

interface ExecStatus {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
async function runPlugin(entry: ExecEntry, scope: Scope): Promise<ExecStatus> {
  const { command = "", args = [], env = [], installHint } = entry;
  const apiVersion = entry.apiVersion ?? "client.authentication.k8s.io/v1";
  const information = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
  const own = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  try {
    const { stdout } = await promisify(execFile)(command, [...args], {
      env: { ...process.env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(information) },
      signal: scope.signal,
    });
    return (JSON.parse(stdout) as { status?: ExecStatus }).status ?? {};
  } catch (cause) {
    if (scope.signal.aborted) throw scope.signal.reason;
    const hint = systemErrorCode(cause) === "ENOENT" && installHint ? `\n${installHint}` : "";
    throw new PeapodError("Unauthorized", `credential plugin ${command} failed: ${explain(cause)}${hint}`, {
      cause,
    });
  }
}

function readNamed(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new PeapodError("BadRequest", `file ${path} of the kubeconfig: ${explain(cause)}`, { cause });
  }
}
