import { expect, test } from "vitest";
import { quietScope, whenAborted } from "../../base/scope.ts";
import type { Client } from "../../client/client.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { Terminal } from "../terminal.ts";
import { followLogs } from "./follow-logs.ts";

function endedPod(name: string, resourceVersion: string): StoredPod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", uid: name, resourceVersion, creationTimestamp: "" },
    spec: { containers: [{ name: "main" }] },
    status: {
      phase: "Succeeded",
      containerStatuses: [
        {
          name: "main",
          image: "",
          imageID: "",
          restartCount: 0,
          ready: false,
          state: { terminated: { exitCode: 0, containerID: `peapod://${name}` } },
        },
      ],
    },
  };
}

test("what makes the pods is over before its last pod was seen: that one's log is printed, too", async () => {
  const client = {
    async *watch(_type: unknown, _options: unknown, { signal }: { signal: AbortSignal }) {
      yield { type: "MODIFIED", object: endedPod("first", "3") };
      await whenAborted(signal);
    },
    list: async () => ({ items: [endedPod("earlier", "1"), endedPod("first", "3"), endedPod("last", "4")] }),
    async log(_namespace: string, name: string) {
      return (async function* () {
        yield Buffer.from(`2026-01-01T00:00:00Z ${name} works\n`);
      })();
    },
  } as unknown as Client;
  let printed = "";
  const terminal: Terminal = {
    out: (text) => {
      printed += text;
    },
    err: () => {},
    errIsTerminal: false,
    colour: false,
    columns: 80,
  };
  const later = { selects: () => true, over: AbortSignal.abort() };
  const pods = await followLogs(client, [endedPod("first", "2")], terminal, quietScope(), later);
  expect(pods.map(({ metadata }) => metadata.name)).toEqual(["first", "last"]);
  expect(printed).toBe("[first main] first works\n[last main] last works\n");
});
