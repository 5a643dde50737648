import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { parse } from "yaml";
import { explain, PeapodError, systemErrorCode } from "../../base/errors.ts";

/** https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export interface ClusterEntry {
  readonly server?: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
  readonly "proxy-url"?: string;
}

export interface UserEntry {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly as?: string;
  readonly "as-groups"?: readonly string[];
  readonly exec?: ExecEntry;
  readonly "auth-provider"?: object;
}

/** A program that knows the credentials. */
export interface ExecEntry {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly installHint?: string;
}

/** One context with what it names. Paths of files are absolute. */
export interface ChosenContext {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
}

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly NamedEntry<
    "context",
    { cluster?: string; user?: string; namespace?: string }
  >[];
  readonly clusters?: readonly NamedEntry<"cluster", ClusterEntry>[];
  readonly users?: readonly NamedEntry<"user", UserEntry>[];
}

type NamedEntry<K extends string, T> = { readonly name: string } & { readonly [key in K]?: T };

/**
 * The context of that name, or the current one, of the kubeconfig at `path`, else of the files that $KUBECONFIG names,
 * else of ~/.kube/config. Of several files the first that has an entry counts, as for kubectl. Throws Usage with the
 * nearest names for a context that is not there, Invalid for a file that is no kubeconfig.
 */
export async function chooseContext(
  name: string | undefined,
  path: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<ChosenContext> {
  const paths = path === undefined ? defaultPaths(env) : [path];
  const files = paths.flatMap((each) => readConfig(each, path !== undefined));
  const where = paths.join(", ");
  const wanted = name ?? files.find((file) => file["current-context"])?.["current-context"];
  const contexts = files.flatMap((file) => file.contexts ?? []);
  if (wanted === undefined) {
    throw new PeapodError("Usage", `${where} has no current context: name one by --context`);
  }
  const context = contexts.find((entry) => entry.name === wanted)?.context;
  if (context === undefined) throw await unknownContext(wanted, contexts, where);
  const cluster = files.flatMap((file) => file.clusters ?? []).find((each) => each.name === context.cluster);
  if (cluster?.cluster?.server === undefined) {
    throw new PeapodError(
      "Invalid",
      `context "${wanted}": ${where} has no server for cluster "${context.cluster}"`,
    );
  }
  const user = files.flatMap((file) => file.users ?? []).find((each) => each.name === context.user);
  return { name: wanted, namespace: context.namespace, cluster: cluster.cluster, user: user?.user ?? {} };
}

function defaultPaths(env: NodeJS.ProcessEnv): string[] {
  const named = (env.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== "");
  return named.length > 0 ? named : [join(env.HOME || homedir(), ".kube", "config")];
}

/** Nothing for a file that is not there, unless it was asked for by name. */
function readConfig(path: string, mustExist: boolean): Kubeconfig[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" && !mustExist) return [];
    throw new PeapodError("BadRequest", `kubeconfig ${path}: ${explain(error)}`, { cause: error });
  }
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new PeapodError("Invalid", `${path} is no kubeconfig: ${explain(cause)}`, { cause });
  }
  if (value === null || value === undefined) return [];
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new PeapodError("Invalid", `${path} is no kubeconfig: not a mapping`);
  }
  return [withAbsolutePaths(value as Kubeconfig, dirname(path))];
}

const pathFields = ["certificate-authority", "client-certificate", "client-key", "tokenFile"] as const;

/** Relative paths in a kubeconfig start at its folder. */
function withAbsolutePaths(config: Kubeconfig, folder: string): Kubeconfig {
  const absolute = <T extends object>(entry: T | undefined): T | undefined =>
    entry &&
    (Object.fromEntries(
      Object.entries(entry).map(([field, value]) => {
        const isPath = (pathFields as readonly string[]).includes(field) && typeof value === "string";
        return [field, isPath && value !== "" && !isAbsolute(value) ? join(folder, value) : value];
      }),
    ) as T);
  return {
    ...config,
    clusters: (config.clusters ?? []).map(({ name, cluster }) => ({
      name,
      cluster: absolute(cluster) ?? {},
    })),
    users: (config.users ?? []).map(({ name, user }) => ({ name, user: absolute(user) ?? {} })),
  };
}

async function unknownContext(
  name: string,
  contexts: readonly { readonly name: string }[],
  where: string,
): Promise<PeapodError> {
  const { distance } = await import("fastest-levenshtein");
  const nearest = contexts
    .map((entry) => ({ name: entry.name, away: distance(name, entry.name) }))
    .toSorted((a, b) => a.away - b.away);
  const [first] = nearest;
  const isNear = first !== undefined && first.away <= Math.max(2, name.length / 3);
  const hint = isNear
    ? `; did you mean "${first.name}"?`
    : first === undefined
      ? ", which has no contexts"
      : `, which has ${nearest.map((entry) => entry.name).join(", ")}`;
  return new PeapodError("Usage", `there is no context "${name}" in ${where}${hint}`);
}
