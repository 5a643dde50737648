import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PeapodError } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { startProcess } from "../../host/child-process.ts";
import { readFileIfExists } from "../../host/files.ts";
import { identifyProcess, type ProcessIdentity } from "../../host/processes.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

const reaper = "/usr/bin/catatonit";

/**
 * Starts the process that is PID 1 of a shared process namespace and reaps its orphans: `catatonit -P`, as an OCI
 * container in the sandbox's namespaces whose root holds nothing else, without any privilege, because every
 * container of the pod can look through /proc/1/root. It lives on without the daemon, in the pod's cgroup
 * `sandbox`; killing what is in that cgroup and deleting `folder`/process leaves nothing of it.
 */
export async function startSandboxProcess(
  ociRuntime: string,
  folder: string,
  record: SandboxRecord,
  scope: Scope,
): Promise<ProcessIdentity> {
  scope.signal.throwIfAborted();
  const bundle = join(folder, "process");
  mkdirSync(join(bundle, "rootfs"), { recursive: true, mode: 0o755 });
  writeFileSync(join(bundle, "config.json"), JSON.stringify(bundleConfig(record)));
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

function bundleConfig(record: SandboxRecord): object {
  const shared = [
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
    root: { path: "rootfs", readonly: true },
    mounts: [
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
      cgroupsPath: `${record.cgroup}/sandbox`,
      resources: { devices: [{ allow: false, access: "rwm" }] },
    },
  };
}
