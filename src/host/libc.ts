import { getSystemErrorName } from "node:util";
import { PeapodError } from "../base/errors.ts";

type Koffi = typeof import("koffi")["default"];

/** The C library of this process. */
export interface Libc {
  readonly koffi: Koffi;
  /** A function by its declaration in C, or by name, type of result and types of arguments. */
  readonly func: ReturnType<Koffi["load"]>["func"];
  /** Why the last call failed, as `SystemCallFailed` (`WHAT: ERRNO`) with `details.errno`. */
  failure(what: string): PeapodError;
  /** Gives a call's result back; throws {@link failure} when it is -1. */
  check(what: string, result: number): number;
}

let loading: Promise<Libc | undefined> | undefined;

/**
 * Loads it on first use. Undefined where it can't be called from here: no koffi for this platform, or
 * PEAPOD_NO_SYSTEM_CALLS=1. The caller then uses a system tool, or does without.
 */
export function libc(): Promise<Libc | undefined> {
  if (process.env.PEAPOD_NO_SYSTEM_CALLS === "1") return Promise.resolve(undefined);
  loading ??= load();
  return loading;
}

async function load(): Promise<Libc | undefined> {
  let koffi: Koffi;
  try {
    koffi = (await import("koffi")).default;
  } catch {
    return undefined;
  }
  const library = koffi.load(null);
  const failure = (what: string) => {
    const number = koffi.errno();
    const errno = number > 0 ? getSystemErrorName(-number) : "unknown error";
    return new PeapodError("SystemCallFailed", `${what}: ${errno}`, { details: { errno } });
  };
  return {
    koffi,
    func: library.func.bind(library),
    failure,
    check(what, result) {
      if (result === -1) throw failure(what);
      return result;
    },
  };
}
