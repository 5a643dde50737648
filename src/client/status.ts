import { type ErrorCode, errorCatalogue, PeapodError } from "../base/errors.ts";

/**
 * How an API server says that a request failed
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/).
 */
export interface Status {
  readonly kind: "Status";
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: {
    readonly causes?: readonly {
      readonly reason?: string;
      readonly message?: string;
      readonly field?: string;
    }[];
    readonly [field: string]: unknown;
  };
}

/** Whether the value is a Status object. */
function isStatus(value: unknown): value is Status {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "Status";
}

/**
 * The error for an answer that is not a success: the code is the Status' reason (or, if that is unknown or
 * absent, the one that fits the HTTP status), the details are the Status itself.
 */
export function statusError(httpStatus: number, body: string): PeapodError {
  const status = parseStatus(body) ?? { kind: "Status", code: httpStatus, message: body.trim() };
  return errorFromStatus(status, httpStatus);
}

/** The same for a Status that came inside a stream (watch, exec). */
export function errorFromStatus(status: Status, httpStatus = status.code ?? 500): PeapodError {
  const code = codeFor(status.reason, httpStatus);
  const message = status.message || `the server answered ${httpStatus}`;
  return new PeapodError(code, message, { details: status });
}

/** The Status in an error's details, if it came from a server. */
export function statusOf(error: unknown): Status | undefined {
  return error instanceof PeapodError && isStatus(error.details) ? error.details : undefined;
}

function codeFor(reason: string | undefined, httpStatus: number): ErrorCode {
  if (reason !== undefined && Object.hasOwn(errorCatalogue, reason)) return reason as ErrorCode;
  const byHttp = Object.entries(errorCatalogue).find(([, entry]) => entry.http === httpStatus);
  if (httpStatus !== 500 && byHttp !== undefined) return byHttp[0] as ErrorCode;
  return httpStatus < 500 ? "BadRequest" : "InternalError";
}

function parseStatus(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isStatus(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
