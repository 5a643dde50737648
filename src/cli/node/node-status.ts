import { join } from "node:path";
import { errorCode } from "../../base/errors.ts";
import { nodes, pods } from "../../client/resources.ts";
import type { KubernetesNode } from "../../kube/types.ts";
import { readIfThere } from "../read-file.ts";
import type { Session } from "../session.ts";
import { runningDaemon } from "./running-daemon.ts";

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
  /** What keeps the node from doing all that pods may ask of it: the messages of its conditions. */
  readonly problems: readonly string[];
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
      problems: problemsOf(node),
    };
  } catch (error) {
    if (errorCode(error) === "NodeUnreachable") return undefined;
    throw error;
  }
}

/** Conditions that say something bad, each in its own way. */
function problemsOf(node: KubernetesNode | undefined): readonly string[] {
  return (node?.status?.conditions ?? [])
    .filter(
      ({ type, status }) =>
        `${type} ${status}` === "NetworkUnavailable True" || `${type} ${status}` === "ServiceNames False",
    )
    .map(({ type, message }) => `${type}: ${message}`);
}
