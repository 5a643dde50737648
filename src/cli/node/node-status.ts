import { join } from "node:path";
import { errorCode } from "../../base/errors.ts";
import { nodes, pods } from "../../client/resources.ts";
import type { KubernetesNode } from "../../kube/types.ts";
import type { Session } from "../session.ts";
import { readIfThere, runningDaemon } from "./running-daemon.ts";

/** What `node status -o json` prints: a contract for scripts. */
export interface NodeStatus {
  readonly pid: number;
  readonly version: string;
  /** `crun://1.14` */
  readonly runtime: string;
  readonly stateDir: string;
  readonly runDir: string;
  /** How many pods the API has. */
  readonly pods: number;
  /** Name of the node object. */
  readonly node: string;
  /** The flags of `node start` that it runs with and keeps, by their names. */
  readonly flags: Readonly<Record<string, string>>;
}

/** The status of the running node, or undefined when none runs or it does not answer. Starts nothing. */
export async function nodeStatus(session: Session): Promise<NodeStatus | undefined> {
  const { passiveClient, scope, stateDir, runDir } = session;
  const daemon = runningDaemon(runDir);
  if (daemon === undefined) return undefined;
  try {
    const [nodeList, podList] = await Promise.all([
      passiveClient.list<KubernetesNode>(nodes, {}, scope),
      passiveClient.list(pods, {}, scope),
    ]);
    const [node] = nodeList.items;
    return {
      pid: daemon.pid,
      version: daemon.version,
      runtime: node?.status?.nodeInfo?.containerRuntimeVersion ?? "",
      stateDir,
      runDir,
      pods: podList.items.length,
      node: node?.metadata?.name ?? "",
      flags: JSON.parse(readIfThere(join(stateDir, "node.json")) ?? "{}"),
    };
  } catch (error) {
    if (errorCode(error) === "NodeUnreachable") return undefined;
    throw error;
  }
}
