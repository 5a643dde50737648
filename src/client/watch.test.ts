import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { quietScope } from "../base/scope.ts";
import { createClient } from "./client.ts";
import { type FakeRequest, sendJson, startFakeAPI } from "./fake-api.ts";
import { pods } from "./resources.ts";

function pod(name: string, resourceVersion: string) {
  return { metadata: { name, uid: name, namespace: "a", resourceVersion } };
}

function frame(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

const list = (resourceVersion: string, ...items: object[]) => ({
  kind: "List",
  metadata: { resourceVersion },
  items,
});

type Answer = (request: FakeRequest, response: ServerResponse) => void;

/** Runs a watch against the answers, one per request, until `count` changes have come. */
async function watchChanges(answers: readonly Answer[], count: number, resourceVersion?: string) {
  let turn = 0;
  await using api = await startFakeAPI((request, response) => {
    const answer = answers[turn];
    turn += 1;
    if (answer === undefined) response.destroy();
    else answer(request, response);
  });
  const client = createClient({ socketPath: api.socketPath });
  const seen: string[] = [];
  const options = { namespace: "a", resourceVersion, patienceMilliseconds: 200 };
  for await (const { type, object } of client.watch(pods, options, quietScope())) {
    seen.push(`${type} ${object.metadata.name}@${object.metadata.resourceVersion}`);
    if (seen.length === count) break;
  }
  return { seen, urls: api.requests.map(({ url }) => url.replace("/api/v1/namespaces/a/pods", "")) };
}

const send =
  (...frames: string[]): Answer =>
  (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(frames.join(""));
  };

describe("watch", () => {
  test("lists first, then watches on from the list", async () => {
    const { seen, urls } = await watchChanges(
      [
        (_request, response) => sendJson(response, list("7", pod("x", "3"))),
        send(frame("MODIFIED", pod("x", "8")), frame("DELETED", pod("x", "9"))),
      ],
      3,
    );
    expect(seen).toEqual(["ADDED x@3", "MODIFIED x@8", "DELETED x@9"]);
    expect(urls).toEqual(["", "?watch=true&allowWatchBookmarks=true&resourceVersion=7"]);
  });

  test("resumes after the last version seen, bookmarks included, when a stream ends or breaks in a frame", async () => {
    const { seen, urls } = await watchChanges(
      [
        send(frame("ADDED", pod("x", "6")), frame("BOOKMARK", { metadata: { resourceVersion: "20" } })),
        (_request, response) => {
          response.writeHead(200).write(`${frame("MODIFIED", pod("x", "21"))}{"type":"MODIF`);
          setImmediate(() => response.destroy());
        },
        send(frame("MODIFIED", pod("x", "22"))),
      ],
      3,
      "5",
    );
    expect(seen).toEqual(["ADDED x@6", "MODIFIED x@21", "MODIFIED x@22"]);
    expect(urls.map((url) => url.split("=").at(-1))).toEqual(["5", "20", "21"]);
  });

  test.each([
    [
      "as the answer",
      (_request: FakeRequest, response: ServerResponse) =>
        sendJson(response, { kind: "Status", reason: "Expired", code: 410 }, 410),
    ],
    ["inside the stream", send(frame("ERROR", { kind: "Status", reason: "Expired", code: 410 }))],
  ] as [string, Answer][])(
    "lists anew when the history is gone (%s) and says what changed meanwhile",
    async (_where, expired) => {
      const { seen } = await watchChanges(
        [
          (_request, response) =>
            sendJson(response, list("5", pod("gone", "1"), pod("same", "2"), pod("changed", "3"))),
          expired,
          (_request, response) =>
            sendJson(response, list("50", pod("same", "2"), pod("changed", "40"), pod("new", "41"))),
          send(frame("MODIFIED", pod("new", "51"))),
        ],
        7,
      );
      expect(seen).toEqual([
        "ADDED gone@1",
        "ADDED same@2",
        "ADDED changed@3",
        "DELETED gone@1",
        "MODIFIED changed@40",
        "ADDED new@41",
        "MODIFIED new@51",
      ]);
    },
  );

  test("other refusals are thrown", async () => {
    const forbidden: Answer = (_request, response) =>
      sendJson(response, { kind: "Status", reason: "Forbidden", message: "no" }, 403);
    await expect(watchChanges([forbidden], 1, "5")).rejects.toMatchObject({ code: "Forbidden" });
  });

  test("gives up on a server that stays away", async () => {
    await expect(watchChanges([], 1, "5")).rejects.toMatchObject({ code: "NodeUnreachable" });
  });

  test("ends quietly when aborted", async () => {
    const abort = new AbortController();
    await using api = await startFakeAPI((_request, response) => {
      response.writeHead(200).flushHeaders();
      abort.abort();
    });
    const client = createClient({ socketPath: api.socketPath });
    const changes = client.watch(pods, { resourceVersion: "1" }, quietScope(abort.signal));
    expect(await changes.next()).toEqual({ done: true, value: undefined });
  });
});
