/**
 * The daemon's logger as the rest of the code sees it: pino's shape, so that pino itself can be passed.
 * Fields come first, the message (a constant, lower case) second. Nothing secret goes in.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds `bindings` (pod, uid, container …) to every line. */
  child(bindings: object): Log;
}

/** Drops everything: for unit tests and for code that runs before there is a logger. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
