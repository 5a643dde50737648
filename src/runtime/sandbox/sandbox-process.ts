import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PeapodError } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { startProcess } from "../../host/child-process.ts";
import { readFileIfExists } from "../../host/files.ts";
import { type Layout, reachableDir, sandboxDir } from "../../host/layout.ts";
import { identifyProcess, type ProcessIdentity } from "../../host/processes.ts";
import { makeReachableFolder, removeReachableFolder } from "../../host/reachable-folder.ts";
import type { UserNamespace } from "../../host/user-namespace.ts";
import { idMappings } from "../spec/namespaces.ts";
import { protectedPaths } from "../spec/paths.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

const reaper = "/usr/bin/catatonit";

/**
 * Starts the process that is PID 1 of a shared process namespace and reaps its orphans: `catatonit -P`, as an OCI
 * container in the sandbox's namespaces whose root holds nothing else, without any privilege, because every
 * container of the pod can look through /proc/1/root. It lives on without the daemon, in the pod's cgroup
 * `sandbox`; killing what is in that cgroup, deleting `process` in the sandbox's folder and
 * {@link removeOwnedRootfs} leave nothing of it.
 */
export async function startSandboxProcess(
  ociRuntime: string,
  layout: Layout,
  record: SandboxRecord,
  scope: Scope,
): Promise<ProcessIdentity> {
  scope.signal.throwIfAborted();
  const folder = sandboxDir(layout, record.podUID);
  const bundle = join(folder, "process");
  mkdirSync(join(bundle, "rootfs"), { recursive: true, mode: 0o755 });
  const rootfs =
    record.userNamespace === undefined
      ? "rootfs"
      : makeOwnedRootfs(layout, record.podUID, record.userNamespace);
  writeFileSync(join(bundle, "config.json"), JSON.stringify(bundleConfig(record, rootfs)));
  const [pidFile, logFile] = [join(bundle, "pid"), join(bundle, "log")];
  const own = ["--root", join(bundle, "state"), "--log", logFile];
  const run = ["run", "--detach", "--bundle", bundle, "--pid-file", pidFile, "sandbox"];
  // No pipes: the sandbox's process would keep them open for as long as it lives.
  const child = startProcess(ociRuntime, [...own, ...run], { stdio: "ignore" });
  const [exitCode] = (await once(child, "exit")) as [number | null];
  const pid = Number(readFileIfExists(pidFile));
  const identity = exitCode === 0 && pid > 0 ? identifyProcess(pid) : undefined;
  if (identity === undefined) {
    const reason = (readFileIfExists(logFile) ?? "").trim().split("\n").at(-1);
    throw new PeapodError(
      "CommandFailed",
      `${ociRuntime}: sandbox process: ${reason || `exit code ${exitCode}`}`,
    );
  }
  return identity;
}

const folders = ["dev", "proc"];
const program = "catatonit";

/** An empty root where a process of the user namespace can find it, with the places of all its mounts. */
function makeOwnedRootfs(layout: Layout, podUID: string, { hostID }: UserNamespace): string {
  const rootfs = join(makeReachableFolder(layout, podUID, hostID), "rootfs");
  for (const folder of folders) mkdirSync(join(rootfs, folder), { recursive: true, mode: 0o755 });
  writeFileSync(join(rootfs, program), "", { mode: 0o755 });
  return rootfs;
}

/** Removes what the process of a pod with a user namespace had as its root; done when there is none. */
export function removeOwnedRootfs(layout: Layout, podUID: string): void {
  rmSync(join(reachableDir(layout), podUID, "rootfs", program), { force: true });
  removeReachableFolder(layout, podUID, [...folders.map((folder) => `rootfs/${folder}`), "rootfs"]);
}

function bundleConfig(record: SandboxRecord, rootfs: string): object {
  const shared = [
    { type: "user", path: record.userNamespace?.path },
    { type: "network", path: record.netns },
    { type: "ipc", path: record.ipcns },
    { type: "uts", path: record.utsns },
  ].filter(({ path }) => path !== undefined);
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 65535, gid: 65535 },
      args: ["/catatonit", "-P"],
      env: [],
      cwd: "/",
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
    },
    root: { path: rootfs, readonly: true },
    mounts: [
      // runc starts nothing without it. Only to be read, since every container of the pod can reach it.
      { type: "proc", source: "proc", destination: "/proc", options: ["nosuid", "noexec", "nodev", "ro"] },
      {
        type: "tmpfs",
        source: "tmpfs",
        destination: "/dev",
        options: ["nosuid", "noexec", "size=64k", "mode=755"],
      },
      { type: "bind", source: reaper, destination: "/catatonit", options: ["bind", "ro", "nosuid", "nodev"] },
    ],
    linux: {
      namespaces: [{ type: "pid" }, { type: "mount" }, ...shared],
      ...idMappings(record.userNamespace),
      ...protectedPaths(undefined),
      cgroupsPath: `${record.cgroup}/sandbox`,
      resources: { devices: [{ allow: false, access: "rwm" }] },
    },
  };
}
