import { expect, test } from "vitest";
import { fakeChannel, fakeFacts, fakeListener, fakePath } from "./fake-facts.ts";
import { answerReach } from "./reach.ts";
import { viewLivePod } from "./view.ts";

const seen = fakeChannel(
  {},
  {
    state: "Active",
    endpoints: [
      { container: "b", role: "Server" },
      { container: "a", role: "Client" },
    ],
    connections: { open: 1, total: 12 },
  },
);
const socket = { identity: "1:2", kind: "socket" as const, uid: 0, gid: 0, mode: 0o755 };
const server = {
  container: "b",
  process: "server",
  type: "stream" as const,
  name: "/mnt/s",
  label: "run:/s",
  file: socket,
};
const evidence = {
  listeners: [fakeListener("127.0.0.1", 8080), fakeListener("0.0.0.0", 9090, "a")],
  unixServers: [server, { ...server, name: "@hub", label: undefined, file: undefined }],
  paths: [
    fakePath("/run/s", { file: socket, label: "run:/s", elsewhere: [{ container: "b", path: "/mnt/s" }] }),
    fakePath("/run/none", { label: "run:/none", elsewhere: [{ container: "b", path: "/mnt/none" }] }),
    fakePath("/tmp/own", { file: { ...socket, kind: "file" } }),
  ],
};

test.each<[string | undefined, "Yes" | "No" | "Unknown", string]>([
  ["127.0.0.1:8080", "Yes", "over TCP 127.0.0.1:8080 (seen 12 connections)"],
  ["localhost:8080", "Yes", "over TCP 127.0.0.1:8080 (seen 12 connections)"],
  [":8080", "Yes", "over TCP 127.0.0.1:8080 (seen 12 connections)"],
  ["[::1]:8080", "No", 'container "b" listens on 127.0.0.1:8080 only'],
  ["10.88.0.2:8080", "No", 'container "b" listens on 127.0.0.1:8080 only'],
  ["localhost:80", "No", "nothing in the pod listens on port 80"],
  ["localhost:9090", "No", 'container "a" has port 9090, not "b"'],
  ["b:8080", "No", '"b" is the name of a container and of no host'],
  ["example.com:80", "Unknown", '"example.com" is no address of the pod'],
  ["@hub", "Yes", "over the abstract Unix socket @hub, which needs no volume"],
  ["@other", "No", "nobody in the pod is bound to @other"],
  ["/run/s", "Yes", 'over the Unix socket run:/s: in container "b" it is /mnt/s'],
  ["/run/none", "No", 'nothing is at /run/none in container "a"'],
  ["/tmp/own", "No", '/tmp/own of container "a" is in its own file system, which no other container sees'],
  [undefined, "Yes", "over TCP 127.0.0.1:8080 (seen 12 connections)"],
])("can a reach b at %s: %s", (address, reachable, because) => {
  const view = viewLivePod(fakeFacts({ evidence, channels: [seen] }));
  const answer = answerReach(view, { from: "a", to: "b", ...(address === undefined ? {} : { address }) });
  expect([answer.reachable, answer.because[0]]).toEqual([reachable, because]);
});

test("a container that does not run reaches nobody", () => {
  const states = { b: { state: { waiting: { reason: "CrashLoopBackOff" } } } };
  const view = viewLivePod(fakeFacts({ states }));
  expect(answerReach(view, { from: "a", to: "b" })).toMatchObject({
    reachable: "No",
    because: ['container "b" does not run (CrashLoopBackOff)'],
  });
});
