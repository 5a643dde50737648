import { PeapodError } from "../../base/errors.ts";
import { isEndedPhase } from "../../kube/pod-phase.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { ContainerName } from "../../node/types.ts";
import { type ApiContext, flag } from "../request.ts";
import { targetContainer } from "./pod-container.ts";

/** What an attach request asks for: v1.PodAttachOptions. */
export interface AttachOptions {
  readonly target: ContainerName;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Whether the container has a terminal: its spec decides that, not the request. */
  readonly tty: boolean;
}

/** Reads an attach request. BadRequest for one that names no stream, NotFound for a missing pod. */
export function attachOptions(
  context: Pick<ApiContext, "store">,
  namespace: string,
  name: string,
  query: URLSearchParams,
): AttachOptions {
  const pod = context.store.get({ resource: "pods", namespace, name }) as unknown as StoredPod;
  const asked = { stdin: flag(query, "stdin"), stdout: flag(query, "stdout"), stderr: flag(query, "stderr") };
  if (!asked.stdin && !asked.stdout && !asked.stderr) {
    throw new PeapodError("BadRequest", "you must specify at least 1 of stdin, stdout, stderr");
  }
  if (isEndedPhase(pod.status?.phase)) {
    throw new PeapodError(
      "BadRequest",
      `cannot attach a container in a completed pod; current phase is ${pod.status.phase}`,
    );
  }
  const target = targetContainer(pod, query.get("container"));
  const containers: readonly { name: string; tty?: boolean | undefined }[] = [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
    ...((pod.spec as { ephemeralContainers?: { name: string; tty?: boolean }[] }).ephemeralContainers ?? []),
  ];
  const tty = containers.find((container) => container.name === target.container)?.tty === true;
  return { target, ...asked, stderr: asked.stderr && !tty, tty };
}
