import { type Scope, withTimeout } from "../../base/scope.ts";
import { kubernetesVersion } from "../../base/version.ts";
import type { Container, Probe } from "../../kube/types.ts";
import type { RuntimeService } from "../../runtime/types.ts";
import { execInContainer } from "../handlers/exec.ts";
import { checkHealth } from "../handlers/grpc-health.ts";
import { httpGet, urlOf } from "../handlers/http-get.ts";
import { dialError } from "../handlers/network-error.ts";
import { hostAndPort, portNumber } from "../handlers/port.ts";
import { tcpConnect } from "../handlers/tcp-socket.ts";
import type { ProbeOutcome } from "./types.ts";

/** What a probe is run against. */
export interface ProbeTarget {
  readonly runtime: Pick<RuntimeService, "exec">;
  readonly container: Container;
  /** Id of the running instance. */
  readonly id: string;
  readonly podIP: string;
}

type Attempt = (target: ProbeTarget, scope: Scope, seconds: number) => Promise<ProbeOutcome>;

/**
 * One attempt of a probe, within its timeout, with the kubelet's words for what it found. Throws when it could
 * not be made at all: nobody knows then how the container is.
 */
export async function runProbe(probe: Probe, target: ProbeTarget, outerScope: Scope): Promise<ProbeOutcome> {
  const seconds = probe.timeoutSeconds ?? 1;
  const scope = withTimeout(outerScope, seconds * 1000);
  const outcome = await attemptOf(probe)(target, scope, seconds);
  outerScope.signal.throwIfAborted();
  return outcome;
}

const failure = (output: string): ProbeOutcome => ({ verdict: "Failure", output });
const success = (output: string): ProbeOutcome => ({ verdict: "Success", output });

function attemptOf({ exec, httpGet: http, tcpSocket, grpc }: Probe): Attempt {
  if (exec !== undefined) return execAttempt(exec.command ?? []);
  if (http !== undefined) return httpAttempt(http);
  if (tcpSocket !== undefined) return tcpAttempt(tcpSocket);
  if (grpc !== undefined) return grpcAttempt(grpc);
  throw new Error("missing probe handler");
}

function execAttempt(command: readonly string[]): Attempt {
  return async ({ runtime, id }, scope) => {
    try {
      const { exitCode, output } = await execInContainer(runtime, id, command, scope);
      return exitCode === 0 ? success(output) : failure(output);
    } catch (error) {
      if (!scope.signal.aborted) throw error;
      return failure(`command ${JSON.stringify(command.join(" "))} timed out`);
    }
  };
}

function httpAttempt(action: NonNullable<Probe["httpGet"]>): Attempt {
  return async ({ container, podIP }, { signal }) => {
    const url = urlOf(action, container, podIP);
    try {
      const { status, body } = await httpGet(url, action.httpHeaders, "kube-probe", signal);
      if (status >= 300 && status < 400) {
        return { verdict: "Warning", output: `Probe terminated redirects, Response body: ${body}` };
      }
      return status >= 200 && status < 300
        ? success(body)
        : failure(`HTTP probe failed with statuscode: ${status}`);
    } catch (error) {
      const why = signal.aborted
        ? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        : dialError(error, url.host);
      return failure(`Get "${url}": ${why}`);
    }
  };
}

function tcpAttempt({ host, port }: NonNullable<Probe["tcpSocket"]>): Attempt {
  return async ({ container, podIP }, { signal }) => {
    const number = portNumber(port, container);
    const address = hostAndPort(host || podIP, number);
    try {
      await tcpConnect(host || podIP, number, signal);
      return success("");
    } catch (error) {
      return failure(signal.aborted ? `dial tcp ${address}: i/o timeout` : dialError(error, address));
    }
  };
}

const unimplementedCode = 12;
const deadlineExceededCode = 4;

function grpcAttempt({ port, service = "" }: NonNullable<Probe["grpc"]>): Attempt {
  return async ({ podIP }, { signal }, seconds) => {
    const address = hostAndPort(podIP, port);
    const [major, minor] = kubernetesVersion.slice(1).split(".");
    try {
      const answer = await checkHealth(address, service, `kube-probe/${major}.${minor}`, signal);
      if (answer.code === 0) {
        return answer.serving === "SERVING"
          ? success(`service healthy`)
          : failure(`service unhealthy (responded with "${answer.serving}")`);
      }
      if (answer.code === unimplementedCode) {
        return failure(
          `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${answer.message}`,
        );
      }
      return failure(
        answer.code === deadlineExceededCode
          ? `timeout: health rpc did not complete within ${seconds}s`
          : `error: health rpc probe failed: rpc error: code = ${answer.code} desc = ${answer.message}`,
      );
    } catch (error) {
      const why = signal.aborted
        ? `timeout: failed to connect service "${address}" within ${seconds}s: context deadline exceeded`
        : `error: failed to connect service at "${address}": ${dialError(error, address)}`;
      return failure(why);
    }
  };
}
