import { PeapodError } from "../base/errors.ts";
import { pods } from "../client/resources.ts";
import type { StoredPod } from "../kube/types.ts";
import { namespaceOf, type Session } from "./session.ts";
import { parsePodName } from "./type-arguments.ts";

/** A pod whose containers one can join, given as `NAME` or `pod/NAME`. Throws `BadRequest` when it has ended. */
export async function openPod(arg: string, verb: string, session: Session): Promise<StoredPod> {
  const reference = { namespace: namespaceOf(session), name: parsePodName(arg) };
  const pod = await session.client.get<StoredPod>(pods, reference, session.scope);
  const phase = pod.status?.phase;
  if (phase === "Succeeded" || phase === "Failed") {
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
