import { errorCode, PeapodError } from "../../base/errors.ts";
import { createClient } from "../../client/client.ts";
import { clientOptions, type GlobalValues, type Session } from "../session.ts";
import { connectCluster } from "./connect-cluster.ts";
import { chooseContext } from "./kubeconfig.ts";

/** The session on the cluster that `--context` and `--kubeconfig` name, made of the one on this machine's node. */
export async function clusterSession(globals: GlobalValues, local: Session): Promise<Session> {
  const context = await chooseContext(globals.context, globals.kubeconfig, process.env);
  const client = createClient({ connect: connectCluster(context), ...clientOptions(local.terminal) });
  return {
    ...local,
    cluster: context.name,
    defaultNamespace: context.namespace || undefined,
    client,
    passiveClient: client,
  };
}

/** What a server says of a path that it does not have: this one, and Kubernetes' own for a group that is unknown. */
const unknownPath = /^(?:the server could not find the requested resource|404 page not found)$/;

/** Says of a refusal by a cluster that what was asked for is Peapod's own. */
export function explainMissing(error: unknown, cluster: string, asked: string): unknown {
  if (errorCode(error) !== "NotFound" || !(error instanceof Error) || !unknownPath.test(error.message))
    return error;
  return new PeapodError(
    "Unsupported",
    `the cluster of context "${cluster}" cannot answer "${asked}": it has no peapod.dev API, which only Peapod's nodes serve`,
    { cause: error },
  );
}
