import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { programFile } from "../node/program-file.ts";
import { Conversation } from "./conversation.ts";
import type { Pair } from "./pair.ts";

/** Starts the two programs as processes of this machine, outside of any container. Disposal leaves nothing. */
export function startHostPair(): Pair {
  const folder = mkdtempSync(join(tmpdir(), "peapod-measure-"));
  const sharedMemory = join("/dev/shm", basename(folder));
  const children: ChildProcess[] = [];
  const start = (role: "server" | "client") => {
    const child = spawn(process.execPath, [programFile("measure"), role, folder, sharedMemory], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    children.push(child);
    return new Conversation(`${role} on the host`, child.stdin, child.stdout);
  };
  return {
    server: start("server"),
    client: start("client"),
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map(ended));
      rmSync(sharedMemory, { force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The one may wait for the other in a system call, so neither is asked. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}
