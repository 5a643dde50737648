/**
 * Every kind of failure that Peapod can name, with what it means for a caller.
 *
 * The codes are Kubernetes' own reasons where Kubernetes has one (API `Status.reason`, container
 * `state.waiting.reason`, event `reason`), so that the CLI, kubectl and the log say the same word.
 * `http` is the status with which the API server answers; `docs/errors.md` lists them all and a test
 * keeps the two equal.
 */
export const errorCatalogue = {
  // API reasons: https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#StatusReason
  NotFound: { kind: "notFound", http: 404, meaning: "the named object does not exist" },
  AlreadyExists: { kind: "conflict", http: 409, meaning: "an object of that name exists" },
  Conflict: { kind: "conflict", http: 409, meaning: "the object changed since it was read" },
  Invalid: { kind: "invalid", http: 422, meaning: "the object breaks a validation rule" },
  BadRequest: { kind: "invalid", http: 400, meaning: "the request cannot be read" },
  Unauthorized: { kind: "forbidden", http: 401, meaning: "the caller is not known" },
  Forbidden: { kind: "forbidden", http: 403, meaning: "the caller may not do this" },
  MethodNotAllowed: { kind: "invalid", http: 405, meaning: "the resource has no such verb" },
  NotAcceptable: { kind: "invalid", http: 406, meaning: "no offered representation is acceptable" },
  Expired: { kind: "expired", http: 410, meaning: "the resourceVersion is too old to continue from" },
  UnsupportedMediaType: { kind: "invalid", http: 415, meaning: "the body's content type is not understood" },
  RequestEntityTooLarge: { kind: "invalid", http: 413, meaning: "the body is over the size limit" },
  TooManyRequests: { kind: "transient", http: 429, meaning: "try again later" },
  Timeout: { kind: "transient", http: 504, meaning: "the operation took longer than its limit" },
  ServiceUnavailable: { kind: "transient", http: 503, meaning: "the node daemon is not ready" },

  // Container and sandbox reasons, as the kubelet writes them.
  ErrImagePull: { kind: "transient", http: 500, meaning: "the image could not be pulled" },
  ErrImageNeverPull: {
    kind: "invalid",
    http: 500,
    meaning: "the image is absent and imagePullPolicy is Never",
  },
  InvalidImageName: { kind: "invalid", http: 422, meaning: "the image reference cannot be parsed" },
  CreateContainerConfigError: {
    kind: "invalid",
    http: 500,
    meaning: "the container's configuration cannot be made",
  },
  CreateContainerError: {
    kind: "transient",
    http: 500,
    meaning: "the runtime could not create the container",
  },
  RunContainerError: { kind: "transient", http: 500, meaning: "the runtime could not start the container" },
  PostStartHookError: { kind: "transient", http: 500, meaning: "the container's postStart hook failed" },
  FailedCreatePodSandBox: { kind: "transient", http: 500, meaning: "the pod's sandbox could not be made" },
  FailedMount: { kind: "transient", http: 500, meaning: "a volume could not be mounted" },

  // Peapod's own.
  CommandFailed: { kind: "system", http: 500, meaning: "a system tool failed" },
  SystemCallFailed: { kind: "system", http: 500, meaning: "the kernel refused a system call" },
  Unsupported: { kind: "invalid", http: 422, meaning: "valid in Kubernetes, not honoured by this version" },
  NodeUnreachable: { kind: "transient", http: 503, meaning: "the node daemon does not answer" },
  Usage: { kind: "invalid", http: 400, meaning: "the command line is wrong" },
  InternalError: { kind: "bug", http: 500, meaning: "a bug in Peapod" },
} as const;

export type ErrorCode = keyof typeof errorCatalogue;
export type ErrorKind = (typeof errorCatalogue)[ErrorCode]["kind"];

/**
 * The one error class that leaves a function on purpose. `message` is a sentence without a capital or a
 * full stop that names the thing attempted; `details` is JSON that a machine may want (for the API:
 * `Status.details`).
 */
export class PeapodError extends Error {
  override readonly name = "PeapodError";
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }

  get kind(): ErrorKind {
    return errorCatalogue[this.code].kind;
  }

  /** HTTP status of the API's answer. */
  get http(): number {
    return errorCatalogue[this.code].http;
  }
}

/** The code of the outermost {@link PeapodError} in the cause chain, if there is one. */
export function errorCode(error: unknown): ErrorCode | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof PeapodError) return current.code;
  }
  return undefined;
}

/** Whether the error says that the thing is not there, at any depth of its cause chain. */
export function isNotFound(error: unknown): boolean {
  return errorCode(error) === "NotFound";
}

/** What `work` returns, or undefined when it throws that the thing is not there. */
export function ifFound<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Whether the error says that somebody else changed or made the object first. */
export function isConflict(error: unknown): boolean {
  const code = errorCode(error);
  return code !== undefined && errorCatalogue[code].kind === "conflict";
}

/** The `code` of a Node.js system error (`ENOENT`, …), or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** A message for a person: the error's own and, after colons, those of its causes that add anything. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause === undefined ? "" : explain(error.cause);
  return inner === "" || error.message.includes(inner) ? error.message : `${error.message}: ${inner}`;
}
