import { expect, test } from "vitest";
import { PeapodError } from "../base/errors.ts";
import { quietScope } from "../base/scope.ts";
import type { Client, LogQuery } from "./client.ts";
import { followLog } from "./follow-log.ts";

const source = { namespace: "default", pod: "web", container: "main", containerID: "peapod://1" };
const status = { containerStatuses: [{ name: "main", containerID: source.containerID }] };
const broken = new PeapodError("NodeUnreachable", "the connection to the node daemon broke");

/** A server whose connections give these lines one after the other; an error breaks one. */
function serving(...connections: (readonly (string | Error)[])[]): Pick<Client, "get" | "log"> {
  async function* lines(parts: readonly (string | Error)[]) {
    for (const part of parts) {
      if (part instanceof Error) throw part;
      yield Buffer.from(part);
    }
  }
  return {
    get: async <T>() => ({ status }) as T,
    log: async () => {
      const parts = connections.shift() ?? [];
      if (parts[0] instanceof Error) throw parts[0];
      return lines(parts);
    },
  };
}

async function followed(server: Pick<Client, "get" | "log">, query: LogQuery = {}): Promise<string> {
  const chunks = await Array.fromAsync(followLog(server, source, query, quietScope()));
  return Buffer.concat(chunks).toString();
}

const one = "2026-01-01T00:00:01Z one\n";
const two = "2026-01-01T00:00:02Z two\n";

test("goes on where a connection broke off, each line once", async () => {
  expect(await followed(serving([one, broken], [one, two]))).toBe("one\ntwo\n");
});

test("a connection that breaks before its first answer is made anew, too", async () => {
  expect(await followed(serving([broken], [one, two]))).toBe("one\ntwo\n");
});

test("asks for the instance that the status named, not for the one that has followed it", async () => {
  const asked: unknown[] = [];
  const server = serving([one]);
  const client: typeof server = {
    ...server,
    log: (namespace, name, query, scope) => {
      asked.push(query.containerID);
      return server.log(namespace, name, query, scope);
    },
  };
  await followed(client);
  await followed(client, { previous: true });
  expect(asked).toEqual([source.containerID, undefined]);
});

test("what the server refuses is thrown", async () => {
  const refused = new PeapodError("BadRequest", "container main is waiting to start");
  await expect(followed(serving([refused]))).rejects.toThrow(refused.message);
});
