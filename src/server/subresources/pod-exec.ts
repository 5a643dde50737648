import { PeapodError } from "../../base/errors.ts";
import { isEndedPhase } from "../../kube/pod-phase.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { ContainerName } from "../../node/types.ts";
import { type ApiContext, flag } from "../request.ts";
import { targetContainer } from "./pod-container.ts";

/** What an exec request asks for: v1.PodExecOptions. */
export interface ExecOptions {
  readonly target: ContainerName;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Reads an exec request. BadRequest for one that names no command or no stream, NotFound for a missing pod. */
export function execOptions(
  context: Pick<ApiContext, "store">,
  namespace: string,
  name: string,
  query: URLSearchParams,
): ExecOptions {
  const pod = context.store.get({ resource: "pods", namespace, name }) as unknown as StoredPod;
  const tty = flag(query, "tty");
  const options = {
    command: query.getAll("command"),
    stdin: flag(query, "stdin"),
    stdout: flag(query, "stdout"),
    // A terminal has one output only.
    stderr: flag(query, "stderr") && !tty,
    tty,
  };
  if (options.command.length === 0) {
    throw new PeapodError("BadRequest", "you must specify at least 1 command for the container");
  }
  if (!options.stdin && !options.stdout && !options.stderr) {
    throw new PeapodError("BadRequest", "you must specify at least 1 of stdin, stdout, stderr");
  }
  if (isEndedPhase(pod.status?.phase)) {
    throw new PeapodError(
      "BadRequest",
      `cannot exec into a container in a completed pod; current phase is ${pod.status.phase}`,
    );
  }
  return { target: targetContainer(pod, query.get("container")), ...options };
}

/** `/exec`, `/attach` and `/portforward` without an upgrade: there is nothing to answer with. */
export function upgradeRequired(): never {
  throw new PeapodError("BadRequest", "Upgrade request required");
}
