/** The shell's exit codes for a command that does not exist, and for one that cannot be executed. */
const notFound = 127;
const notExecutable = 126;

/**
 * The exit code of `exec`. The runtime's own is 255 when it could not start the command, which a command may end
 * with too; only then, though, is there an error in the runtime's log (`--log-format json`). The command is then
 * said to have ended as a shell would say. Pure.
 */
export function commandExitCode(runtimeExitCode: number, runtimeLog: string | undefined): number {
  const message = (runtimeLog ?? "").split("\n").findLast((line) => line.includes('"error"'));
  if (message === undefined) return runtimeExitCode;
  if (/not found|no such file/i.test(message)) return notFound;
  if (/permission denied|not permitted|exec format error|is a directory/i.test(message)) return notExecutable;
  return runtimeExitCode;
}
