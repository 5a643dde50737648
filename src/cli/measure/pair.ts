import type { ClientAnswer, ProgramCost, ServerAnswer, Window } from "../../measure/types.ts";
import type { Conversation } from "./conversation.ts";

/** A server and a client that wait for something to measure: in a pod, or directly on the host. */
export interface Pair extends AsyncDisposable {
  readonly server: Conversation;
  readonly client: Conversation;
}

/** One window between the two. */
export async function measureWindow({ server, client }: Pair, window: Window): Promise<ClientAnswer> {
  server.send(window);
  const { port } = await server.answer<ServerAnswer>();
  client.send({ ...window, ...(port === undefined ? {} : { port }) });
  const answer = await client.answer<ClientAnswer>();
  await server.answer<ServerAnswer>();
  return answer;
}

/** What the client's program itself costs where it runs. */
export function programCost({ client }: Pair): Promise<ProgramCost> {
  client.send({ what: "cost" });
  return client.answer<ProgramCost>();
}
