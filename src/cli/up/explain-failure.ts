import { errorCode } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import type { Client } from "../../client/client.ts";
import type { StoredPod } from "../../kube/types.ts";
import { readLog } from "../read-log.ts";
import type { PodVerdict } from "./pod-progress.ts";
import type { WaitedPod } from "./wait-until-up.ts";

const tailLines = 10;

/** Says why a pod did not come up: the reason, and the last lines that its container wrote. */
export async function explainFailure(
  client: Client,
  { pod, verdict }: WaitedPod,
  scope: Scope,
): Promise<string> {
  const { namespace, name } = pod.metadata;
  if (verdict.state === "deleted") return `error: pod/${name} was deleted meanwhile\n`;
  if (verdict.state !== "failed") return `pod/${name} is not ready yet\n`;
  const { container } = verdict;
  const head = failureLine(pod, verdict);
  if (!verdict.ran || container === undefined) return head;
  const lines = await lastLines(client, namespace, name, container, scope);
  if (lines.length === 0) return `${head}  (container ${container} wrote nothing)\n`;
  return `${head}last lines of container ${container}:\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

/** Why the pod failed, in one line. */
export function failureLine(
  { metadata: { name } }: StoredPod,
  { container, reason, message }: Extract<PodVerdict, { state: "failed" }>,
): string {
  const where = container === undefined ? "" : `container ${container}: `;
  return `error: pod/${name} failed: ${where}${reason}${message === "" ? "" : `: ${message}`}\n`;
}

async function lastLines(
  client: Client,
  namespace: string,
  pod: string,
  container: string,
  scope: Scope,
): Promise<string[]> {
  try {
    const text = await readLog(client, namespace, pod, { container, tailLines }, scope);
    return text.split("\n").filter((line) => line !== "");
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}
