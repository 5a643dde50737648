import type { Scope } from "../../base/scope.ts";
import type { RegistryCredentials } from "../../images/types.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { AgentDependencies } from "../dependencies.ts";
import { objectsIn } from "./sources.ts";

interface Login {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
}

/**
 * What the pod's `imagePullSecrets` say of registries, in their order. A secret that is not there or cannot be read is
 * told in an event, and the pull is tried all the same, as the kubelet does it
 * (https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/).
 */
export function pullCredentials(
  pod: StoredPod,
  { store, events }: Pick<AgentDependencies, "store" | "events">,
  scope: Scope,
): readonly RegistryCredentials[] {
  const objects = objectsIn(pod.metadata.namespace, store);
  const names = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []);
  const read = names.map((name) => ({ name, logins: readLogins(objects.secret(name)?.data) }));
  const missing = read.filter(({ logins }) => logins === undefined).map(({ name }) => name);
  if (missing.length > 0) {
    const message = `Unable to retrieve some image pull secrets (${missing.join(", ")}); attempting to pull the image may not succeed.`;
    events.record(pod, "Warning", "FailedToRetrieveImagePullSecret", message, scope);
  }
  return read.flatMap(({ logins }) =>
    Object.entries(logins ?? {}).flatMap(([registry, login]) => {
      const auth = authOf(login);
      return auth === undefined ? [] : [{ registry, auth }];
    }),
  );
}

/** The content of a Secret of type kubernetes.io/dockerconfigjson, or of the older kubernetes.io/dockercfg. */
function readLogins(data: Readonly<Record<string, string>> | undefined): Record<string, Login> | undefined {
  try {
    const config = data?.[".dockerconfigjson"];
    if (config !== undefined) return (decode(config) as { auths?: Record<string, Login> }).auths ?? {};
    const old = data?.[".dockercfg"];
    return old === undefined ? undefined : (decode(old) as Record<string, Login>);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function decode(base64: string): unknown {
  return JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
}

function authOf({ auth, username, password }: Login): string | undefined {
  if (auth !== undefined && auth !== "") return auth;
  if (username === undefined || password === undefined) return undefined;
  return Buffer.from(`${username}:${password}`).toString("base64");
}
