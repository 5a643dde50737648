import { explain } from "../base/errors.ts";
import type { LogQuery } from "../client/client.ts";
import { type FollowedLog, followLog } from "../client/follow-log.ts";
import { splitLines } from "../client/lines.ts";
import type { Session } from "./session.ts";
import { exitWhenClosed, writeFully } from "./write-fully.ts";

/** Prints the logs one after the other, or all at once line by line when they are followed. */
export async function streamLogs(
  targets: readonly FollowedLog[],
  query: LogQuery,
  options: { readonly prefix: boolean; readonly ignoreErrors: boolean },
  session: Session,
): Promise<void> {
  const { client, scope, terminal } = session;
  exitWhenClosed(process.stdout);
  const print = async (target: FollowedLog) => {
    const { namespace, pod, container } = target;
    try {
      const chunks =
        query.follow === true
          ? followLog(client, target, query, scope)
          : await client.log(namespace, pod, { ...query, container }, scope);
      if (!options.prefix && targets.length === 1) {
        for await (const chunk of chunks) await writeFully(process.stdout, chunk);
        return;
      }
      const prefix = options.prefix ? `[pod/${pod}/${container}] ` : "";
      for await (const line of splitLines(chunks)) {
        await writeFully(process.stdout, Buffer.concat([Buffer.from(prefix), line, Buffer.from("\n")]));
      }
    } catch (error) {
      if (!options.ignoreErrors || scope.signal.aborted) throw error;
      terminal.err(`error: ${explain(error)}\n`);
    }
  };
  if (query.follow === true) await Promise.all(targets.map(print));
  else for (const target of targets) await print(target);
}
