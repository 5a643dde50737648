import { quietScope } from "../base/scope.ts";
import { createClient } from "../client/client.ts";
import { Interrupts } from "./interrupts.ts";
import type { Session } from "./session.ts";

/** A session on the server at `socketPath` that collects what is printed. For tests only. */
export function fakeSession(
  socketPath: string,
  namespace?: string,
): Session & { readonly printed: { out: string; err: string } } {
  const printed = { out: "", err: "" };
  const client = createClient({ socketPath });
  return {
    printed,
    client,
    passiveClient: client,
    namespace,
    stateDir: "/nowhere",
    runDir: "/nowhere",
    scope: quietScope(),
    interrupts: new Interrupts(),
    terminal: {
      out: (text) => {
        printed.out += text;
      },
      err: (text) => {
        printed.err += text;
      },
      errIsTerminal: false,
      colour: false,
      columns: 80,
    },
  };
}
