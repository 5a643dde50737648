import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { quietScope } from "../../src/base/scope.ts";
import { layoutFor } from "../../src/host/layout.ts";
import type { StoredPod } from "../../src/kube/types.ts";
import { slower } from "./patience.ts";

/** A node's folders of its own, and how to see what is left of it. */
export function testLayout() {
  const folder = mkdtempSync(join(tmpdir(), "peapod-drivers-"));
  const layout = layoutFor(join(folder, "state"), join(folder, "run"));
  const words = [folder, layout.instance];
  return {
    folder,
    layout,
    /** Lines of the kernel's own lists that carry the node's name. */
    traces(): string[] {
      const lists = [
        readFileSync("/proc/self/mountinfo", "utf8"),
        execFileSync("ip", ["-o", "link"], { encoding: "utf8" }),
        execFileSync("ip", ["-4", "route", "show", "table", "all"], { encoding: "utf8" }),
        execFileSync("nft", ["list", "ruleset"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
        execFileSync("find", ["/sys/fs/cgroup", "-maxdepth", "3", "-name", `*${layout.instance}*`], {
          encoding: "utf8",
        }),
      ];
      return lists
        .flatMap((list) => list.split("\n"))
        .filter((line) => words.some((word) => line.includes(word)));
    },
    /** Every file below the run folder. */
    runFiles(): string[] {
      try {
        return readdirSync(layout.runDir, { recursive: true, withFileTypes: true })
          .filter((entry) => !entry.isDirectory())
          .map((entry) => join(entry.parentPath, entry.name));
      } catch {
        return [];
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const scope = quietScope();

/** A stored pod with a UID of its own. */
export function testPod(name: string, spec: Partial<StoredPod["spec"]> = {}): StoredPod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: randomUUID(),
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: { containers: [{ name: "main", image: "peapod.dev/host" }], ...spec },
  };
}

const serverScript = `
  const [kind, port, name] = process.argv.slice(1);
  if (kind === "udp") {
    const socket = require("node:dgram").createSocket("udp4");
    socket.on("message", (_, peer) => socket.send(name + " " + peer.address, peer.port, peer.address));
    socket.bind(Number(port), () => console.log("ready"));
  } else {
    const server = require("node:net").createServer((socket) => socket.end(name + " " + socket.remoteAddress));
    server.listen(Number(port), "0.0.0.0", () => console.log("ready"));
  }
`;

const clientScript = `
  const [kind, host, port, patience] = process.argv.slice(1);
  const fail = (error) => { console.log(error.code ?? String(error)); process.exit(0); };
  setTimeout(() => fail({ code: "no answer" }), Number(patience));
  if (kind === "udp") {
    const socket = require("node:dgram").createSocket("udp4");
    socket.on("message", (text) => { console.log(String(text)); process.exit(0); });
    socket.on("error", fail);
    socket.send("?", Number(port), host);
  } else {
    const socket = require("node:net").connect({ host, port: Number(port) });
    socket.on("error", fail);
    socket.on("data", (text) => { console.log(String(text)); process.exit(0); });
  }
`;

function inside(netns: string | undefined, script: string, args: string[]): [string, string[]] {
  const command = [process.execPath, "-e", script, ...args];
  const [file = "", ...rest] =
    netns === undefined ? command : ["nsenter", `--net=${netns}`, "--", ...command];
  return [file, rest];
}

/** Starts a server that answers everyone with its name and the address it sees; resolves when it listens. */
export async function serve(
  netns: string | undefined,
  kind: "tcp" | "udp",
  port: number,
  name: string,
): Promise<ChildProcess> {
  const [file, args] = inside(netns, serverScript, [kind, String(port), name]);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(child.stdout)) {
    if (line === "ready") break;
  }
  return child;
}

/**
 * What a server there answers to a client here: `NAME ADDRESS-IT-SEES`, the error's code, or `no answer` after
 * `patience` milliseconds: short only where none is expected.
 */
export async function ask(
  netns: string | undefined,
  kind: "tcp" | "udp",
  host: string,
  port: number,
  patience = 30_000 * slower,
): Promise<string> {
  const [file, args] = inside(netns, clientScript, [kind, host, String(port), String(patience)]);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const chunk of child.stdout) text += String(chunk);
  return text.trim();
}
