import { expect, test } from "vitest";
import { fakeProcess, fakeSnapshot } from "./fake-snapshot.ts";
import { pipeChannels } from "./pipe.ts";

const end = (access: "read" | "write") => ({ kind: "pipe", inode: 7, access }) as const;

test.each([
  ["from one container to the other", [[end("write")], [end("read")]], 1],
  ["standard output that all inherited", [[end("write")], [end("write")]], 0],
  [
    "both ends leaked into both",
    [
      [end("write"), end("read")],
      [end("write"), end("read")],
    ],
    0,
  ],
] as const)("%s", (_, [atA, atB], expected) => {
  const processes = [fakeProcess("a", 10, atA), fakeProcess("b", 20, atB)];
  expect(pipeChannels(fakeSnapshot({ processes })).length).toBe(expected);
});

test("a pipe inside one container is its own business", () => {
  const processes = [fakeProcess("a", 10, [end("write")]), fakeProcess("a", 11, [end("read")])];
  expect(pipeChannels(fakeSnapshot({ processes }))).toEqual([]);
});
