import { PeapodError } from "../base/errors.ts";
import { isEndedPhase } from "../kube/pod-phase.ts";
import type { StoredPod } from "../kube/types.ts";
import { findPod } from "./find-pods.ts";
import type { Session } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** A pod whose containers one can join, as findPod finds it. Throws `BadRequest` when it has ended. */
export async function openPod(
  arg: string,
  verb: string,
  session: Session,
  terminal: Pick<Terminal, "err">,
): Promise<StoredPod> {
  const pod = await findPod(arg, session, terminal);
  const phase = pod.status?.phase;
  if (isEndedPhase(phase)) {
    throw new PeapodError(
      "BadRequest",
      `cannot ${verb} a container in a completed pod; current phase is ${phase}`,
    );
  }
  return pod;
}

/** Whether `-it` can be kept: only a terminal can be passed on; says so when it is none. */
export function hasTerminal(
  options: { readonly tty: boolean; readonly stdin: boolean },
  { terminal }: Pick<Session, "terminal">,
): boolean {
  const isTerminal = options.tty && options.stdin && process.stdin.isTTY === true;
  if (options.tty && !isTerminal) {
    terminal.err("Unable to use a TTY - input is not a terminal or the right kind of file\n");
  }
  return isTerminal;
}
