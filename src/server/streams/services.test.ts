import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { quietScope } from "../../base/scope.ts";
import { openStore } from "../../store/sqlite-store.ts";
import { FakeNode, fakeContext } from "../fake-node.ts";
import { streamServices } from "./services.ts";

test("what a command says that has ended before its client asks for it is kept", async () => {
  const store = openStore(":memory:");
  onTestFinished(() => store.close());
  store.create("pods", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", namespace: "default" },
    spec: { containers: [{ name: "main", image: "alpine" }] },
    status: { phase: "Running" },
  });
  const child = spawn("sh", ["-c", "echo said; echo complained >&2"]);
  const exited = once(child, "exit").then(([code]) => Number(code));
  const node = new FakeNode();
  node.exec = async () => ({
    stdin: undefined,
    stdout: child.stdout,
    stderr: child.stderr,
    resize: () => {},
    exited,
    kill: () => {},
  });
  const query = new URLSearchParams("command=sh&stdout=true&stderr=true");
  await streamServices.exec.open(
    fakeContext(store, node),
    { namespace: "default", name: "a", query },
    quietScope(),
  );
  await exited;
  await sleep(100);
  const read = async (stream: AsyncIterable<Buffer>) =>
    Buffer.concat(await Array.fromAsync(stream)).toString();
  expect(await Promise.all([read(child.stdout), read(child.stderr)])).toEqual(["said\n", "complained\n"]);
});
