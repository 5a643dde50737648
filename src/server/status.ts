import { type ErrorCode, errorCatalogue, errorCode, explain, PeapodError } from "../base/errors.ts";

/** metav1.Status: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: Record<string, never>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  /** When it may be tried again. */
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly {
    readonly reason?: string;
    readonly message?: string;
    readonly field?: string;
  }[];
}

/** The answer to any failure. What is no {@link PeapodError} is a bug and says so without inner details. */
export function failureStatus(error: unknown): Status {
  const code = errorCode(error) ?? "InternalError";
  const { details } = error instanceof PeapodError ? error : { details: undefined };
  const http = errorCatalogue[code].http;
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: code === "InternalError" ? `Internal error occurred: ${explain(error)}` : explain(error),
    reason: statusReason(code),
    ...(isDetails(details) ? { details } : {}),
    code: http,
  };
}

/** The answer to a deletion that returns no object. */
export function successStatus(details: StatusDetails): Status {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details, code: 200 };
}

/** Codes that Kubernetes' API does not know become the reason that it gives with the same HTTP status. */
const ownReasons: Partial<Record<number, string>> = {
  400: "BadRequest",
  422: "Invalid",
  500: "InternalError",
  503: "ServiceUnavailable",
};

const apiReasons: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "NotFound",
  "AlreadyExists",
  "Conflict",
  "Invalid",
  "BadRequest",
  "Unauthorized",
  "Forbidden",
  "MethodNotAllowed",
  "NotAcceptable",
  "Expired",
  "UnsupportedMediaType",
  "RequestEntityTooLarge",
  "TooManyRequests",
  "Timeout",
  "ServiceUnavailable",
  "InternalError",
]);

function statusReason(code: ErrorCode): string {
  return apiReasons.has(code) ? code : (ownReasons[errorCatalogue[code].http] ?? "InternalError");
}

function isDetails(details: unknown): details is StatusDetails {
  if (typeof details !== "object" || details === null) return false;
  return "kind" in details || "causes" in details || "retryAfterSeconds" in details;
}
