import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { startProcess } from "./child-process.ts";
import { bindMount } from "./mounts.ts";
import { smallTables } from "./small-tables.ts";

/** A user namespace (user_namespaces(7)) whose users and groups 0 to `size` - 1 are this machine's from `hostID` on. */
export interface UserNamespace {
  /** File to which it is pinned. */
  readonly path: string;
  readonly hostID: number;
  readonly size: number;
}

/** A namespace that the user namespace owns, and the file to which it is pinned. */
export interface OwnedNamespace {
  readonly name: "net" | "ipc" | "uts";
  readonly path: string;
}

/**
 * The first `unshare` makes a network namespace with small tables of sockets, from which the last inherits their size (see
 * namespaces.ts), so that no setting of this machine is touched.
 */
const smallTableScript = `for each in ${smallTables.sysctls.join(" ")}; do echo ${smallTables.value} > $each; done 2> /dev/null; exec "$@"`;

/**
 * Makes a user namespace, and the others so that it owns them, and pins all to their files, which must be there: what
 * a process with all capabilities in it does to the network or to kernel parameters stays inside. Processes that are
 * gone afterwards make them, since one with threads cannot (unshare(2)); the others only when the users are there, for
 * files in them belong to their maker. Throws CommandFailed.
 */
export async function pinOwnedNamespaces(
  user: UserNamespace,
  owned: readonly OwnedNamespace[],
  scope: Scope,
): Promise<void> {
  await withMaker(["unshare", "--user"], scope, async (pid) => {
    // Users and groups alike, in one piece (as the kubelet has it).
    for (const map of ["uid_map", "gid_map"]) {
      writeFileSync(`/proc/${pid}/${map}`, `0 ${user.hostID} ${user.size}\n`);
    }
    await bindMount(`/proc/${pid}/ns/user`, user.path, [], scope);
  });
  if (owned.length === 0) return;
  const inside = ["nsenter", `--user=${user.path}`, "unshare", ...owned.map(({ name }) => `--${name}`)];
  const outside = ["unshare", "--net", "sh", "-c", smallTableScript, "sh"];
  await withMaker([...outside, ...inside], scope, async (pid) => {
    for (const { name, path } of owned) await bindMount(`/proc/${pid}/ns/${name}`, path, [], scope);
  });
}

/** Runs `use` while `command` has become a `cat`: it answers when all before it is done. */
async function withMaker(
  command: readonly string[],
  scope: Scope,
  use: (pid: number) => Promise<void>,
): Promise<void> {
  const [file = "", ...args] = command;
  const child = startProcess(file, [...args, "cat"], { stdio: ["pipe", "pipe", "pipe"], cwd: "/" });
  const exited = once(child, "exit").catch(() => {});
  try {
    await answer(child.stdin as Writable, child.stdout as Readable, child.stderr as Readable, scope);
    await use(child.pid ?? 0);
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
}

/** Resolves when what is written comes back; throws with what the tool said when it ends instead. */
async function answer(stdin: Writable, stdout: Readable, stderr: Readable, scope: Scope): Promise<void> {
  stdin.on("error", () => {});
  let words = "";
  stderr.on("data", (chunk: Buffer) => (words += chunk));
  stdin.write("made\n");
  const [first] = await Promise.race([
    once(stdout, "data", { signal: scope.signal }),
    once(stderr, "close", { signal: scope.signal }),
  ]);
  if (first === undefined) {
    throw new PeapodError("CommandFailed", `cannot make a user namespace: ${words.trim().split("\n")[0]}`);
  }
}
