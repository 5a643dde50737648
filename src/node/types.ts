import type { Duplex } from "node:stream";
import type { Scope } from "../base/scope.ts";
import type { AttachRequest, ExecRequest, ExecSession, LogOptions } from "../runtime/types.ts";

/** Names a pod. */
export interface PodName {
  readonly namespace: string;
  readonly pod: string;
  readonly podUID: string;
}

/** Names a container of a pod. */
export interface ContainerName extends PodName {
  readonly container: string;
}

/** What the API server needs of the node agent beyond the store: the kubelet's own endpoints. */
export interface NodeStreams {
  /**
   * The log of the container's current instance, of the one before it (`previous`), or of the one that `containerID` names as
   * the container's status does. BadRequest with the kubelet's words when the container has not started or has no such instance.
   */
  readLog(
    target: ContainerName,
    options: LogOptions & { previous: boolean; containerID?: string },
    scope: Scope,
  ): Promise<AsyncIterable<Uint8Array>>;
  /** Runs a command in the container's running instance. BadRequest when it is not running. */
  exec(target: ContainerName, request: ExecRequest, scope: Scope): Promise<ExecSession>;
  /** Joins the streams of the container's running instance. BadRequest when it is not running. */
  attach(target: ContainerName, request: AttachRequest, scope: Scope): Promise<ExecSession>;
  /**
   * Connects to a port as a process in the pod would to localhost. BadRequest when the pod does not run,
   * ServiceUnavailable when nobody listens.
   */
  connectToPort(target: PodName, port: number, scope: Scope): Promise<Duplex>;
}
