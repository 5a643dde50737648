import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quietScope } from "../../src/base/scope.ts";
import { cgroupHierarchies, killAll, removeCgroup } from "../../src/host/cgroups.ts";
import { startProcess } from "../../src/host/child-process.ts";
import { runCommand } from "../../src/host/command.ts";
import { type Layout, layoutFor, podCgroup } from "../../src/host/layout.ts";
import { mount, unmountBelow } from "../../src/host/mounts.ts";
import { commandLineOf, descendantsOf, listProcesses } from "../../src/host/processes.ts";
import type { Container, PodSpec, StoredPod } from "../../src/kube/types.ts";
import { newContainerID } from "../../src/runtime/container-id.ts";
import type { RotationLimits } from "../../src/runtime/logs/rotate-log.ts";
import { createRuntime } from "../../src/runtime/runtime-service.ts";
import type { ContainerConfig, ContainerMount, RuntimeService, Sandbox } from "../../src/runtime/types.ts";

export const scope = quietScope();

/** A node's folders, one sandbox with pinned namespaces and one root file system: an overlay of this machine's. */
export interface Fixture extends AsyncDisposable {
  readonly layout: Layout;
  readonly sandbox: Sandbox;
  /** A new service on the same folders, as a restarted daemon would make it; started. */
  newRuntime(name: string, logRotation?: RotationLimits): Promise<RuntimeService>;
  /** Configuration of a container that runs a shell script. */
  config(script: string, options?: ConfigOptions): ContainerConfig;
  /** Creates and starts such a container. */
  run(runtime: RuntimeService, script: string, options?: ConfigOptions): Promise<string>;
}

export interface ConfigOptions {
  readonly name?: string;
  readonly attempt?: number;
  readonly command?: readonly string[];
  readonly container?: Partial<Container>;
  readonly spec?: Partial<PodSpec>;
  readonly mounts?: readonly ContainerMount[];
  readonly env?: readonly string[];
  readonly user?: string;
}

export async function makeFixture(): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), "peapod-runtime-"));
  const layout = layoutFor(join(folder, "state"), join(folder, "run"));
  mkdirSync(layout.stateDir, { mode: 0o700 });
  mkdirSync(layout.runDir, { mode: 0o700 });
  const uid = crypto.randomUUID();
  const sandbox = await makeSandbox(folder, layout, uid);
  const rootfs = await makeRootfs(folder);
  const services: RuntimeService[] = [];
  // Each container its own name, and so its own log.
  let nextName = 0;

  const config = (script: string, options: ConfigOptions = {}): ContainerConfig => {
    const container: Container = {
      name: options.name ?? `main-${nextName++}`,
      image: "host",
      ...options.container,
    };
    const pod = {
      metadata: { namespace: "default", name: "pod", uid, resourceVersion: "1", creationTimestamp: "" },
      spec: { containers: [container], ...options.spec },
    } as StoredPod;
    return {
      pod,
      container,
      attempt: options.attempt ?? 0,
      image: {
        id: "host",
        reference: "host",
        digest: "host",
        env: [],
        workingDir: "",
        user: options.user ?? "",
        stopSignal: undefined,
      },
      rootfs,
      command: options.command ?? ["/bin/sh", "-c", script],
      env: options.env ?? ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=pod"],
      mounts: options.mounts ?? [],
    };
  };

  return {
    layout,
    sandbox,
    config,
    async newRuntime(name, logRotation) {
      const service = await createRuntime({
        layout,
        runtime: name,
        sandboxes: noSandboxes,
        ...(logRotation === undefined ? {} : { logRotation }),
        scope,
      });
      await service.start(scope);
      services.push(service);
      return service;
    },
    async run(runtime, script, options) {
      const id = newContainerID();
      await runtime.createContainer(id, sandbox, config(script, options), scope);
      await runtime.startContainer(id, scope);
      return id;
    },
    async [Symbol.asyncDispose]() {
      const last = services.at(-1);
      for (const { id } of last?.listContainers() ?? []) await last?.removeContainer(id, scope);
      for (const service of services) await service.stop();
      await killAll(podCgroup(layout, uid), scope);
      await removeCgroup(`/${layout.instance}`, scope);
      await unmountBelow(folder, scope);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves with the record once the container has exited. */
export function exited(runtime: RuntimeService, id: string) {
  return new Promise<NonNullable<ReturnType<RuntimeService["getContainer"]>>>((resolve) => {
    const check = () => {
      const record = runtime.getContainer(id);
      if (record?.phase !== "Exited") return;
      stop();
      resolve(record);
    };
    const stop = runtime.onContainerChange(check);
    check();
  });
}

/** The whole log as text. */
export async function logOf(runtime: RuntimeService, id: string, options = {}): Promise<string> {
  const record = runtime.getContainer(id);
  if (record === undefined) throw new Error(`no container ${id}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of runtime.readLog(
    record,
    { follow: false, timestamps: false, ...options },
    scope,
  )) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Resolves when the container has printed `text`. */
export async function printed(runtime: RuntimeService, id: string, text: string): Promise<void> {
  const record = runtime.getContainer(id);
  if (record === undefined) throw new Error(`no container ${id}`);
  let output = "";
  for await (const chunk of runtime.readLog(record, { follow: true, timestamps: false }, scope)) {
    output += Buffer.from(chunk).toString();
    if (output.includes(text)) return;
  }
  throw new Error(`container ended without printing ${text}: ${output}`);
}

/** The node's cgroups that are still there. */
export function cgroupsOf(layout: Layout): readonly string[] {
  return cgroupHierarchies()
    .map((hierarchy) => join(hierarchy, layout.instance))
    .filter((folder) => existsSync(folder));
}

/** Processes with `text` in their command line, other than this one. */
export function processesNaming(text: string): readonly number[] {
  return listProcesses().filter(
    (pid) => pid !== process.pid && commandLineOf(pid).some((word) => word.includes(text)),
  );
}

/** A process that keeps a PID namespace of its own, as a sandbox with shareProcessNamespace has it. */
export async function startSharedProcesses(): Promise<AsyncDisposable & { readonly pid: number }> {
  const args = ["--pid", "--fork", "--kill-child", "sh", "-c", "echo ready; exec sleep 1000"];
  const child = startProcess("unshare", args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout as NodeJS.EventEmitter, "data");
  return {
    pid: descendantsOf(child.pid ?? 0)[0] ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "close");
    },
  };
}

const noSandboxes = {
  create: () => Promise.reject(new Error("the test brings its own sandbox")),
  writeFiles: () => {},
  remove: () => Promise.resolve(),
  list: () => [],
  allocate: () => {},
  adopt: () => {},
  resize: () => {},
};

async function makeSandbox(folder: string, layout: Layout, uid: string): Promise<Sandbox> {
  const path = (name: string) => join(folder, name);
  for (const name of ["net", "ipc", "uts"]) writeFileSync(path(name), "");
  const pins = ["net", "ipc", "uts"].map((name) => `--${name}=${path(name)}`);
  await runCommand("unshare", [...pins, "true"], {}, scope);
  mkdirSync(path("shm"));
  await mount(
    { type: "tmpfs", source: "shm", target: path("shm"), options: ["mode=1777", "size=65536k"] },
    scope,
  );
  const files = { hosts: path("hosts"), hostname: path("hostname"), resolvConf: path("resolv.conf") };
  for (const file of Object.values(files)) writeFileSync(file, `${file}\n`);
  return {
    podUID: uid,
    namespace: "default",
    name: "pod",
    netns: path("net"),
    ipcns: path("ipc"),
    utsns: path("uts"),
    pid: undefined,
    shm: path("shm"),
    files,
    cgroup: podCgroup(layout, uid),
    allocated: { generation: 1, containers: {} },
    applied: { cpuShares: 2 },
    createdAt: Date.now(),
  };
}

async function makeRootfs(folder: string): Promise<string> {
  // The upper folder must not lie below the lower one's overlay itself; a tmpfs of its own keeps them apart.
  const space = join(folder, "overlay");
  mkdirSync(space);
  await mount({ type: "tmpfs", source: "overlay", target: space, options: ["mode=0700"] }, scope);
  for (const name of ["upper", "work", "rootfs"]) mkdirSync(join(space, name), { mode: 0o755 });
  const target = join(space, "rootfs");
  await mount(
    {
      type: "overlay",
      source: "overlay",
      target,
      options: ["lowerdir=/", `upperdir=${join(space, "upper")}`, `workdir=${join(space, "work")}`],
    },
    scope,
  );
  return target;
}
