import { randomBytes } from "node:crypto";
import { PassThrough } from "node:stream";
import { PeapodError } from "../../base/errors.ts";
import { type Scope, uncancelled, withSignal } from "../../base/scope.ts";
import { attachPath } from "../../client/attach.ts";
import { exec as joinStreams } from "../../client/exec.ts";
import { pods } from "../../client/resources.ts";
import type { StoredPod } from "../../kube/types.ts";
import { deleteAndWait } from "../delete-and-wait.ts";
import { namespaceOf, type Session } from "../session.ts";
import { explainFailure } from "../up/explain-failure.ts";
import { createProgressDisplay } from "../up/progress-display.ts";
import { waitUntilUp } from "../up/wait-until-up.ts";
import { Conversation } from "./conversation.ts";
import { measurePod, roles } from "./measure-pod.ts";
import type { Pair } from "./pair.ts";

/**
 * Runs a pod of the two programs and connects to both. Disposal deletes the pod and waits until it is gone, also after
 * Ctrl-C. Rejects with `CommandFailed` when the pod does not come up; it is deleted then too.
 */
export async function startPodPair(deadlineSeconds: number, session: Session): Promise<Pair> {
  const { client, scope } = session;
  const namespace = namespaceOf(session);
  const name = `peapod-measure-${randomBytes(3).toString("hex")}`;
  const manifest = measurePod(name, deadlineSeconds);
  const created = await client.create<StoredPod>(pods, namespace, manifest, uncancelled(scope));
  const detach = new AbortController();
  const connections: Promise<unknown>[] = [];
  const remove = async () => {
    detach.abort();
    await Promise.allSettled(connections);
    await deleteAndWait(client, [created], { gracePeriodSeconds: 1 }, uncancelled(scope));
  };
  try {
    scope.signal.throwIfAborted();
    await waitForPod(created, session);
    const [server, pinger] = roles.map((role) => {
      const stdin = new PassThrough();
      const stdout = new PassThrough();
      const request = { container: role, command: [], tty: false, stdin, stdout, stderr: process.stderr };
      const path = attachPath({ namespace, name }, request);
      const joined = joinStreams(client.connect, path, request, withSignal(scope, detach.signal));
      connections.push(joined.catch(() => {}).finally(() => stdout.end()));
      return new Conversation(`${role} in pod/${name}`, stdin, stdout);
    }) as [Conversation, Conversation];
    return { server, client: pinger, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function waitForPod(pod: StoredPod, { client, terminal, scope }: Session): Promise<void> {
  const display = createProgressDisplay(terminal);
  try {
    const [waited] = await waitUntilUp(client, [pod], display, scope);
    if (waited === undefined || waited.verdict.state === "ready") return;
    const text = await explainFailure(client, waited, scope as Scope);
    throw new PeapodError("CommandFailed", text.replace(/^error: /, "").trimEnd());
  } finally {
    display.close();
  }
}
