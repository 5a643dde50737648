import { PeapodError } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { LogOptions } from "../../runtime/types.ts";
import { invalidObject } from "../admission.ts";
import { wholeNumber } from "../list-options.ts";
import { type ApiAnswer, type ApiContext, type ApiRequest, flag } from "../request.ts";
import { targetContainer } from "./pod-container.ts";

/**
 * GET of `/log`: the container's log as plain text, chunk by chunk as the client reads it. Options are v1.PodLogOptions
 * (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod).
 */
export async function podLog(request: ApiRequest): Promise<ApiAnswer> {
  const { context, namespace, name, query, scope } = request;
  return { stream: await openLog(context, { namespace, name, query }, scope), contentType: "text/plain" };
}

/** The log that a request asks for, however it is sent. NotFound, BadRequest or Invalid for one that can't be had. */
export function openLog(
  { store, streams }: Pick<ApiContext, "store" | "streams">,
  { namespace, name, query }: Pick<ApiRequest, "namespace" | "name" | "query">,
  scope: Scope,
): Promise<AsyncIterable<Uint8Array>> {
  const pod = store.get({ resource: "pods", namespace, name }) as unknown as StoredPod;
  const target = targetContainer(pod, query.get("container"));
  const containerID = query.get("containerID");
  const options = {
    ...logOptions(query, scope.clock.now()),
    previous: flag(query, "previous"),
    ...(containerID === null ? {} : { containerID }),
  };
  return streams.readLog(target, options, scope);
}

/** The query as the runtime takes it. Invalid for numbers and times that make no sense. */
function logOptions(query: URLSearchParams, now: number): LogOptions {
  const tailLines = wholeNumber(query, "tailLines");
  const limitBytes = wholeNumber(query, "limitBytes", 1);
  const since = sinceTime(query, now);
  const stream = logStream(query.get("stream"));
  return {
    follow: flag(query, "follow"),
    timestamps: flag(query, "timestamps"),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(since === undefined ? {} : { sinceTime: since }),
    ...(stream === undefined ? {} : { stream }),
  };
}

function sinceTime(query: URLSearchParams, now: number): number | undefined {
  const seconds = wholeNumber(query, "sinceSeconds", 1);
  const text = query.get("sinceTime") ?? "";
  if (text === "") return seconds === undefined ? undefined : now - seconds * 1_000;
  if (seconds !== undefined) {
    throw invalidLogOptions(
      "sinceTime",
      "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
    );
  }
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new PeapodError("BadRequest", `sinceTime: ${JSON.stringify(text)} is no RFC 3339 time`);
  return time;
}

function logStream(text: string | null): "stdout" | "stderr" | undefined {
  switch (text ?? "") {
    case "":
    case "All":
      return undefined;
    case "Stdout":
      return "stdout";
    case "Stderr":
      return "stderr";
    default:
      throw invalidLogOptions(
        "stream",
        `Unsupported value: ${JSON.stringify(text)}: supported values: "All", "Stdout", "Stderr"`,
      );
  }
}

function invalidLogOptions(field: string, message: string): PeapodError {
  return invalidObject({ kind: "PodLogOptions", group: "" }, "", [
    { field, reason: "FieldValueInvalid", message },
  ]);
}
