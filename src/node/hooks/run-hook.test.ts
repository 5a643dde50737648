import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
import { quietScope } from "../../base/scope.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { ExecSession } from "../../runtime/types.ts";
import { type LifecycleHandler, runHook } from "./run-hook.ts";

const pod = { metadata: { name: "p", namespace: "default", uid: "1" } } as StoredPod;
const where = 'for Container "main" in Pod "p_default(1)" failed';

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function run(handler: LifecycleHandler, parts: { output?: string; exitCode?: number } = {}) {
  const fallbacks: string[] = [];
  const exec = async (): Promise<ExecSession> => {
    const stdout = new PassThrough();
    stdout.end(parts.output ?? "");
    const exited = new Promise<number>((resolve) => stdout.once("close", () => resolve(parts.exitCode ?? 0)));
    return { stdin: undefined, stdout, stderr: undefined, resize() {}, exited, kill() {} };
  };
  const target = {
    runtime: { exec },
    pod,
    container: { name: "main" },
    id: "id",
    podIP: "127.0.0.1",
    onHTTPFallback: () => fallbacks.push("fallback"),
  };
  return { done: runHook(handler, target, quietScope()), fallbacks };
}

test("exec", async () => {
  await run({ exec: { command: ["true"] } }).done;
  const failing = run({ exec: { command: ["sh", "-c", "no"] } }, { output: "sh: no\n", exitCode: 127 });
  await expect(failing.done).rejects.toThrow(
    `Exec lifecycle hook ([sh -c no]) ${where} - error: command 'sh -c no' exited with 127: sh: no\n, message: "sh: no\\n"`,
  );
});

test("httpGet: any answer will do, also one in HTTP to a question in HTTPS", async () => {
  const seen: unknown[] = [];
  const server = createServer(({ url, headers }, response) => {
    seen.push([url, headers["user-agent"]]);
    response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  await run({ httpGet: { port, path: "/a" } }).done;
  const secure = run({ httpGet: { port, path: "/b", scheme: "HTTPS" } });
  await secure.done;
  expect(secure.fallbacks).toEqual(["fallback"]);
  expect(seen).toEqual([
    ["/a", "kube-lifecycle/1.36"],
    ["/b", "kube-lifecycle/1.36"],
  ]);
});

test("httpGet without an answer fails", async () => {
  await expect(run({ httpGet: { port: 1, path: "/a" } }).done).rejects.toThrow(
    `HTTP lifecycle hook (/a) ${where} - error: dial tcp 127.0.0.1:1: connect: connection refused`,
  );
});

test("tcpSocket has never been run", async () => {
  await expect(run({ tcpSocket: { port: 80 } }).done).rejects.toThrow("Cannot run handler: invalid handler");
});

test("sleep", async () => {
  vi.useFakeTimers();
  closers.push(() => vi.useRealTimers());
  let over = false;
  const sleeping = run({ sleep: { seconds: 5 } }).done.then(() => {
    over = true;
  });
  await vi.advanceTimersByTimeAsync(4_999);
  expect(over).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await sleeping;
});
