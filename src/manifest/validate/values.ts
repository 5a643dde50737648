import { isIP } from "node:net";
import { portNameProblems } from "../../kube/names.ts";
import { invalid, notSupported, type Problem, required } from "../problems.ts";
import { nearestSpelling } from "../spelling.ts";

const maximumPort = 65535;
const maximumID = 2 ** 31 - 1;

/** One of a fixed set of words; `undefined` is left to defaulting. */
export function oneOf(field: string, value: string | undefined, supported: readonly string[]): Problem[] {
  if (value === undefined || supported.includes(value)) return [];
  const nearest = nearestSpelling(value, supported);
  const hint = nearest === undefined ? "" : `, did you mean ${JSON.stringify(nearest)}?`;
  return [notSupported(field, value, supported, hint)];
}

/** A number of a TCP, UDP or SCTP port. */
export function portNumber(field: string, value: number): Problem[] {
  return inRange(field, value, 1, maximumPort);
}

/** A port by number, or by the name of a container's port. */
export function portNumberOrName(field: string, value: number | string | undefined): Problem[] {
  if (value === undefined) return [required(field)];
  if (typeof value === "number") return portNumber(field, value);
  return portNameProblems(value).map((text) => invalid(field, value, text));
}

/** A user or group ID of Linux as Kubernetes allows it. */
export function userID(field: string, value: number | undefined): Problem[] {
  return value === undefined ? [] : inRange(field, value, 0, maximumID);
}

export function inRange(field: string, value: number, minimum: number, maximum: number): Problem[] {
  if (value >= minimum && value <= maximum) return [];
  return [invalid(field, value, `must be between ${minimum} and ${maximum}, inclusive`)];
}

export function notNegative(field: string, value: number | undefined): Problem[] {
  return value === undefined || value >= 0
    ? []
    : [invalid(field, value, "must be greater than or equal to 0")];
}

/** An IPv4 or IPv6 address. */
export function ipAddress(field: string, value: string): Problem[] {
  if (isIP(value) !== 0 && !value.includes("%")) return [];
  return [invalid(field, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")];
}

/** A path inside something: relative, and never climbing out. */
export function descendingPath(field: string, value: string): Problem[] {
  const absolute = value.startsWith("/") ? [invalid(field, value, "must be a relative path")] : [];
  return [...absolute, ...noBacksteps(field, value)];
}

/** No step of the path is `..`. */
export function noBacksteps(field: string, value: string): Problem[] {
  return value.split("/").includes("..") ? [invalid(field, value, "must not contain '..'")] : [];
}

/** Permission bits of a file. */
export function fileMode(field: string, value: number | undefined): Problem[] {
  if (value === undefined || (value >= 0 && value <= 0o777)) return [];
  return [invalid(field, value, "must be a number between 0 and 0777 (octal), both inclusive")];
}

/** Runs a form of `kube/names.ts` over a value that may be absent. */
export function hasForm(
  field: string,
  value: string | undefined,
  problemsOf: (text: string) => string[],
): Problem[] {
  return value === undefined || value === ""
    ? []
    : problemsOf(value).map((text) => invalid(field, value, text));
}
