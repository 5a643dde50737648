import { explain } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import type { Container, StoredPod } from "../../kube/types.ts";
import type { RuntimeService } from "../../runtime/types.ts";
import { execInContainer } from "../handlers/exec.ts";
import { httpGet, urlOf } from "../handlers/http-get.ts";
import { dialError, isAnsweredInHTTP } from "../handlers/network-error.ts";

export type LifecycleHandler = NonNullable<NonNullable<Container["lifecycle"]>["preStop"]>;

/** What a hook is run for. */
export interface HookTarget {
  readonly runtime: Pick<RuntimeService, "exec">;
  readonly pod: StoredPod;
  readonly container: Container;
  /** Id of the running instance. */
  readonly id: string;
  readonly podIP: string | undefined;
  /** Called when a hook that asks for HTTPS is answered in HTTP and tried again so. */
  readonly onHTTPFallback: () => void;
}

/**
 * Runs a postStart or preStop hook to its end; it has no limit of its own, the scope's signal is one. Throws an
 * Error with the kubelet's words when it fails. An HTTP answer of any status is an answer; tcpSocket, which the
 * API still accepts, has never been run by any kubelet and fails
 * (https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/).
 */
export async function runHook(handler: LifecycleHandler, target: HookTarget, scope: Scope): Promise<void> {
  if (handler.exec !== undefined) return execHook(handler.exec.command ?? [], target, scope);
  if (handler.httpGet !== undefined) return httpHook(handler.httpGet, target, scope);
  if (handler.sleep !== undefined) return scope.clock.sleep(handler.sleep.seconds * 1000, scope.signal);
  throw new Error(`Cannot run handler: invalid handler: ${Object.keys(handler).join(" ")}`);
}

async function execHook(command: readonly string[], target: HookTarget, scope: Scope): Promise<void> {
  const line = command.join(" ");
  const failed = (why: string, output: string) =>
    new Error(
      `Exec lifecycle hook ([${line}]) for ${nameOf(target)} failed - error: ${why}, message: ${JSON.stringify(output)}`,
    );
  let result: Awaited<ReturnType<typeof execInContainer>>;
  try {
    result = await execInContainer(target.runtime, target.id, command, scope);
  } catch (error) {
    if (scope.signal.aborted) throw error;
    throw failed(explain(error), "");
  }
  if (result.exitCode === 0) return;
  throw failed(`command '${line}' exited with ${result.exitCode}: ${result.output}`, result.output);
}

async function httpHook(
  action: NonNullable<LifecycleHandler["httpGet"]>,
  target: HookTarget,
  scope: Scope,
): Promise<void> {
  const { container, podIP = "", onHTTPFallback } = target;
  let host = podIP;
  try {
    const url = urlOf(action, container, podIP);
    host = url.host;
    try {
      await httpGet(url, action.httpHeaders, "kube-lifecycle", scope.signal);
    } catch (error) {
      if (url.protocol !== "https:" || !isAnsweredInHTTP(error)) throw error;
      onHTTPFallback();
      url.protocol = "http:";
      await httpGet(url, action.httpHeaders, "kube-lifecycle", scope.signal);
    }
  } catch (error) {
    if (scope.signal.aborted) throw error;
    throw new Error(
      `HTTP lifecycle hook (${action.path}) for ${nameOf(target)} failed - error: ${dialError(error, host)}`,
    );
  }
}

function nameOf({ container, pod }: HookTarget): string {
  const { name, namespace, uid } = pod.metadata;
  return `Container "${container.name}" in Pod "${name}_${namespace}(${uid})"`;
}
