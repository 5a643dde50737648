import { explain, PeapodError } from "../base/errors.ts";
import { version } from "../base/version.ts";
import { statusOf } from "../client/status.ts";

/** Prints what went wrong, for a person, and returns the exit code. Only a bug prints a stack. */
export function reportError(error: unknown, commandLine: string, write: (text: string) => void): number {
  const status = statusOf(error);
  if (status !== undefined && error instanceof PeapodError) {
    const reason = status.reason === undefined ? "" : ` (${status.reason})`;
    write(`Error from server${reason}: ${error.message}\n`);
    return 1;
  }
  if (error instanceof PeapodError && error.code === "Usage") {
    write(`error: ${error.message}\nSee '${commandLine} --help' for usage.\n`);
    return 2;
  }
  if (error instanceof PeapodError && error.kind !== "bug") {
    write(`error: ${error.code === "NodeUnreachable" ? error.message : explain(error)}\n`);
    return 1;
  }
  write(
    `${error instanceof Error ? error.stack : String(error)}\n\n` +
      `This is a bug in Peapod ${version} (Node.js ${process.version}). Please report it with the text above and the ` +
      `command that led to it.\n`,
  );
  return 1;
}
