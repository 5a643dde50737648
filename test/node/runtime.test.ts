import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cgroupRoot, cgroupV1Path, processesIn } from "../../src/host/cgroups.ts";
import { containerStateDir, podLogsDir } from "../../src/host/layout.ts";
import { mount, unmountBelow } from "../../src/host/mounts.ts";
import { processStat } from "../../src/host/processes.ts";
import { newContainerID } from "../../src/runtime/container-id.ts";
import type { RuntimeService } from "../../src/runtime/types.ts";
import {
  cgroupsOf,
  exited,
  type Fixture,
  logOf,
  makeFixture,
  printed,
  processesNaming,
  scope,
  startSharedProcesses,
} from "./runtime-fixture.ts";

describe.each(["crun", "runc"])("runtime %s", (name) => {
  let fixture: Fixture;
  let runtime: RuntimeService;

  beforeAll(async () => {
    fixture = await makeFixture();
    runtime = await fixture.newRuntime(name);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
    expect(cgroupsOf(fixture.layout)).toEqual([]);
    expect(processesNaming(fixture.layout.stateDir)).toEqual([]);
  });

  test("gives a live container other cpu and memory, more and less, and remembers it", async () => {
    const amounts = (cpu: string, memory: string) => ({ limits: { cpu, memory }, requests: { cpu, memory } });
    const config = fixture.config("sleep 1000", { container: { resources: amounts("100m", "40Mi") } });
    const id = newContainerID();
    const { cgroup } = await runtime.createContainer(id, fixture.sandbox, config, scope);
    await runtime.startContainer(id, scope);
    const value = (controller: string, v1: string, v2: string) =>
      readFileSync(
        join(
          cgroupV1Path(cgroup, controller) ?? "",
          cgroupV1Path(cgroup, controller) ? v1 : join(cgroupRoot, cgroup, v2),
        ),
        "utf8",
      ).trim();
    for (const [cpu, memory] of [
      ["200m", "80Mi"],
      ["50m", "32Mi"],
      ["50m", "64Mi"],
    ] as const) {
      const record = await runtime.resizeContainer(id, amounts(cpu, memory), scope);
      expect(record).toMatchObject({ phase: "Running", resources: amounts(cpu, memory) });
      expect(runtime.getContainer(id)).toEqual(record);
      const quota = Number.parseInt(cpu, 10) * 100;
      expect(value("cpu", "cpu.cfs_quota_us", "cpu.max").split(" ")[0]).toBe(String(quota));
      const bytes = String(Number.parseInt(memory, 10) * 2 ** 20);
      expect(value("memory", "memory.limit_in_bytes", "memory.max")).toBe(bytes);
      if (cgroupV1Path(cgroup, "memory") === undefined) {
        expect(value("memory", "", "memory.swap.max")).toBe("0");
        expect(value("memory", "", "memory.oom.group")).toBe("1");
      }
    }
    await runtime.removeContainer(id, scope);
  });

  test("creates, starts, ends, removes", async () => {
    const id = newContainerID();
    const config = fixture.config("echo out; echo err >&2; exit 3");
    const created = await runtime.createContainer(id, fixture.sandbox, config, scope);
    expect(created).toMatchObject({ id, phase: "Created", attempt: 0, startedAt: undefined });
    expect(created.pid).toBeGreaterThan(0);
    await runtime.startContainer(id, scope);
    const record = await exited(runtime, id);
    expect(record).toMatchObject({ phase: "Exited", exitCode: 3, reason: "Error", pid: undefined });
    expect(record.finishedAt).toBeGreaterThanOrEqual(record.startedAt ?? Number.NaN);
    expect((await logOf(runtime, id)).split("\n").sort()).toEqual(["", "err", "out"]);
    await runtime.removeContainer(id, scope);
    await runtime.removeContainer(id, scope);
    expect(runtime.listContainers()).toEqual([]);
    expect(existsSync(record.logPath)).toBe(true);
    runtime.removeContainerLog(record);
    expect(existsSync(record.logPath)).toBe(false);
  });

  test("starting and stopping twice changes nothing", async () => {
    const id = await fixture.run(runtime, "exec sleep 1000");
    const running = runtime.getContainer(id);
    expect(await runtime.startContainer(id, scope)).toEqual(running);
    const stopped = await runtime.stopContainer(id, 0, scope);
    expect(await runtime.stopContainer(id, 0, scope)).toEqual(stopped);
    await runtime.removeContainer(id, scope);
    expect(await runtime.stopContainer(id, 0, scope)).toBeUndefined();
  });

  test("a command that does not exist leaves nothing behind", async () => {
    const id = newContainerID();
    const config = fixture.config("", { command: ["/no/such/program"], name: "missing" });
    await expect(runtime.createContainer(id, fixture.sandbox, config, scope)).rejects.toMatchObject({
      code: "CreateContainerError",
      message: expect.stringMatching(/^container create failed: .*no such file or directory/i),
    });
    expect(runtime.listContainers()).toEqual([]);
    expect(existsSync(containerStateDir(fixture.layout, id))).toBe(false);
    expect(readdirSync(join(fixture.layout.runDir, "runtime"))).toEqual([]);
    const { namespace, name: podName, podUID } = fixture.sandbox;
    const logs = podLogsDir(fixture.layout, { namespace, name: podName, uid: podUID });
    expect(readdirSync(join(logs, "missing"))).toEqual([]);
    expect(processesNaming(id)).toEqual([]);
  });

  describe("isolation", () => {
    test("shares the sandbox's namespaces and has its own", async () => {
      const id = await fixture.run(runtime, "exec sleep 1000");
      const pid = runtime.getContainer(id)?.pid ?? 0;
      const namespace = (type: string) => readlinkSync(`/proc/${pid}/ns/${type}`);
      const { netns, ipcns, utsns } = fixture.sandbox;
      const shared = { net: netns, ipc: ipcns, uts: utsns };
      for (const [type, path] of Object.entries(shared)) {
        expect(namespace(type)).toBe(`${type}:[${statSync(path ?? "").ino}]`);
      }
      for (const type of ["pid", "mnt", "cgroup"]) {
        expect(namespace(type)).not.toBe(readlinkSync(`/proc/self/ns/${type}`));
      }
      expect(processesIn(runtime.getContainer(id)?.cgroup ?? "")).toEqual([pid]);
      // Until the program itself runs, the runtime's own are there too.
      await expect.poll(() => readdirSync(`/proc/${pid}/fd`)).toEqual(["0", "1", "2"]);
      await runtime.removeContainer(id, scope);
    });

    // The second one gets the filter that was compiled for the first, where the runtime takes one.
    test.each([1, 2])("refuses what the default seccomp profile forbids (container %i)", async () => {
      const id = await fixture.run(
        runtime,
        "grep Seccomp: /proc/self/status; unshare --user true 2>&1; sh -c 'echo 60 > /proc/sys/vm/swappiness' 2>&1; cat /proc/kcore 2>/dev/null | wc -c",
      );
      await exited(runtime, id);
      const output = await logOf(runtime, id);
      expect(output).toMatch(/^Seccomp:\t2$/m);
      expect(output).toMatch(/unshare.*Operation not permitted/);
      expect(output).toMatch(/Read-only file system/);
      expect(output).toMatch(/^0$/m);
      const config = JSON.parse(
        readFileSync(join(containerStateDir(fixture.layout, id), "config.json"), "utf8"),
      );
      const isCompiled = config.annotations["run.oci.seccomp_bpf_data"] !== undefined;
      expect(isCompiled).toBe(name === "crun");
      await runtime.removeContainer(id, scope);
    });

    test("a privileged container has the daemon's capabilities, devices and no seccomp", async () => {
      const id = await fixture.run(
        runtime,
        "grep -E 'Seccomp:|CapEff' /proc/self/status; ls /dev/loop-control /dev/kmsg; touch /sys/fs/cgroup && echo writable",
        { container: { securityContext: { privileged: true } } },
      );
      await exited(runtime, id);
      const output = await logOf(runtime, id);
      expect(output).toMatch(/^Seccomp:\t0$/m);
      expect(output).toContain(/^CapEff:.*$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[0]);
      expect(output).toContain("/dev/kmsg");
      await runtime.removeContainer(id, scope);
    });

    test("opens only the default devices", async () => {
      const id = await fixture.run(
        runtime,
        "echo x > /dev/null && echo null; mknod /tmp/kmsg c 1 11 && head -c1 /tmp/kmsg 2>&1; echo done",
      );
      await exited(runtime, id);
      const output = await logOf(runtime, id);
      expect(output).toMatch(/^null$/m);
      expect(output).toMatch(/Operation not permitted/);
      await runtime.removeContainer(id, scope);
    });

    test("runs as the user it asks for", async () => {
      const id = await fixture.run(runtime, "id; grep -E 'NoNewPrivs|CapEff' /proc/self/status; ulimit -n", {
        spec: { securityContext: { runAsUser: 1234, runAsGroup: 77, supplementalGroups: [88], fsGroup: 99 } },
        container: { securityContext: { allowPrivilegeEscalation: false } },
      });
      await exited(runtime, id);
      const output = await logOf(runtime, id);
      expect(output).toMatch(/uid=1234 gid=77 groups=77,88,99/);
      expect(output).toMatch(/NoNewPrivs:\t1/);
      expect(output).toMatch(/CapEff:\t0+$/m);
      await runtime.removeContainer(id, scope);
    });

    test("finds the image's user in the root file system", async () => {
      const id = await fixture.run(runtime, "id -un; id -gn", { user: "daemon:mail" });
      await exited(runtime, id);
      expect(await logOf(runtime, id)).toBe("daemon\nmail\n");
      await runtime.removeContainer(id, scope);
    });
  });

  describe("mounts", () => {
    test("has the sandbox's files and shared memory", async () => {
      const id = await fixture.run(
        runtime,
        "cat /etc/hostname /etc/hosts; echo hi > /dev/shm/x; stat -f -c %T /dev/shm; echo gone > /dev/termination-log",
      );
      const record = await exited(runtime, id);
      const { hosts, hostname } = fixture.sandbox.files;
      expect(await logOf(runtime, id)).toBe(`${hostname}\n${hosts}\ntmpfs\n`);
      expect(readFileSync(join(fixture.sandbox.shm, "x"), "utf8")).toBe("hi\n");
      expect(record.message).toBe("gone\n");
      await runtime.removeContainer(id, scope);
    });

    test("a volume is read-only, with what is mounted below it where that was asked for", async () => {
      const folder = mkdtempSync(join(tmpdir(), "peapod-volume-"));
      const below = join(folder, "below");
      mkdirSync(below);
      await mount({ type: "tmpfs", source: "tmpfs", target: below, options: [] }, scope);
      try {
        const id = await fixture.run(
          runtime,
          "touch /ro/a 2>&1; touch /ro/below/a 2>&1; touch /part/a 2>&1; touch /part/below/c; touch /deep/rw/b; touch /deep/rw/below/b",
          {
            mounts: [
              { hostPath: folder, mountPath: "/deep/rw", readOnly: false, propagation: "rslave" },
              {
                hostPath: folder,
                mountPath: "/ro/",
                readOnly: true,
                recursiveReadOnly: "Enabled",
                propagation: "private",
              },
              { hostPath: folder, mountPath: "/part", readOnly: true, propagation: "private" },
              { hostPath: folder, mountPath: "/deep", readOnly: false, propagation: "private" },
            ],
          },
        );
        await exited(runtime, id);
        const output = await logOf(runtime, id);
        expect(output.match(/'\S+': Read-only file system/g)).toEqual(
          ["/ro/a", "/ro/below/a", "/part/a"].map((path) => `'${path}': Read-only file system`),
        );
        expect(existsSync(join(below, "c"))).toBe(true);
        expect(existsSync(join(folder, "b"))).toBe(true);
        expect(existsSync(join(below, "b"))).toBe(true);
        await runtime.removeContainer(id, scope);
      } finally {
        await unmountBelow(folder, scope);
        rmSync(folder, { recursive: true });
      }
    });
  });

  test("is removed together with its monitor, which writes files until its end", async () => {
    const id = newContainerID();
    await runtime.createContainer(id, fixture.sandbox, fixture.config("true"), scope);
    const monitor = parentOf(runtime.getContainer(id)?.pid ?? 0);
    process.kill(monitor, "SIGSTOP");
    await runtime.removeContainer(id, scope);
    expect(processesNaming(id)).toEqual([]);
  });

  describe("stop", () => {
    test("lets the process end within the grace period", async () => {
      const id = await fixture.run(
        runtime,
        "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done",
      );
      await printed(runtime, id, "ready");
      const stopped = await runtime.stopContainer(id, 30, scope);
      expect(stopped).toMatchObject({ phase: "Exited", exitCode: 0, reason: "Completed" });
      expect(await logOf(runtime, id)).toBe("ready\nbye\n");
      await runtime.removeContainer(id, scope);
    });

    test("kills what ignores the signal, and a second request shortens the grace period", async () => {
      const id = await fixture.run(runtime, "trap '' TERM; echo ready; while :; do sleep 0.05; done");
      await printed(runtime, id, "ready");
      const first = runtime.stopContainer(id, 1000, scope);
      const second = await runtime.stopContainer(id, 0, scope);
      expect(second).toMatchObject({ phase: "Exited", exitCode: 137, reason: "Error" });
      expect(await first).toEqual(second);
      await runtime.removeContainer(id, scope);
    });

    test("a container that was never started", async () => {
      const id = newContainerID();
      await runtime.createContainer(id, fixture.sandbox, fixture.config("true"), scope);
      expect(await runtime.stopContainer(id, 30, scope)).toMatchObject({ phase: "Exited", exitCode: 137 });
      await runtime.removeContainer(id, scope);
    });

    test("ends every process of the container in a shared PID namespace", async () => {
      await using processes = await startSharedProcesses();
      const sandbox = { ...fixture.sandbox, pid: processes.pid };
      const id = newContainerID();
      const config = fixture.config("setsid sleep 1000 & echo started; sleep 1001");
      await runtime.createContainer(id, sandbox, config, scope);
      await runtime.startContainer(id, scope);
      await printed(runtime, id, "started");
      const { cgroup, pid = 0 } = runtime.getContainer(id) ?? { cgroup: "" };
      expect(readlinkSync(`/proc/${pid}/ns/pid`)).toBe(readlinkSync(`/proc/${processes.pid}/ns/pid`));
      process.kill(pid, "SIGKILL");
      await exited(runtime, id);
      expect(processesIn(cgroup)).toEqual([]);
      await runtime.removeContainer(id, scope);
    });
  });

  test("says when the kernel killed it for want of memory", async () => {
    const id = await fixture.run(runtime, "exec python3 -c 'x = bytearray(300_000_000)'", {
      container: { resources: { limits: { memory: "64Mi" } } },
    });
    expect(await exited(runtime, id)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
    await runtime.removeContainer(id, scope);
  });

  test("takes the end of the log for its message when asked to", async () => {
    const id = await fixture.run(runtime, "echo first; echo what went wrong; exit 1", {
      container: { terminationMessagePolicy: "FallbackToLogsOnError" },
    });
    expect((await exited(runtime, id)).message).toBe("first\nwhat went wrong\n");
    await runtime.removeContainer(id, scope);
  });

  test("on a terminal of its own", async () => {
    const id = await fixture.run(runtime, "tty; echo $TERM; [ -t 2 ] && echo terminal", {
      container: { tty: true, stdin: true },
    });
    await exited(runtime, id);
    expect(await logOf(runtime, id)).toMatch(/^\/dev\/(console|pts\/0)\r\nxterm\r\nterminal\r\n$/);
    await runtime.removeContainer(id, scope);
  });

  describe("exec", () => {
    test("passes streams, environment and exit code", async () => {
      const id = await fixture.run(runtime, "exec sleep 1000", { env: ["PATH=/usr/bin:/bin", "COLOUR=red"] });
      const session = await runtime.exec(
        id,
        {
          command: ["sh", "-c", "cat; echo $COLOUR; grep Seccomp: /proc/self/status >&2; exit 7"],
          stdin: true,
          tty: false,
        },
        scope,
      );
      session.stdin?.end("from stdin\n");
      const [stdout, stderr, code] = await Promise.all([
        session.stdout.toArray(),
        session.stderr?.toArray(),
        session.exited,
      ]);
      expect(Buffer.concat(stdout).toString()).toBe("from stdin\nred\n");
      expect(Buffer.concat(stderr ?? []).toString()).toBe("Seccomp:\t2\n");
      expect(code).toBe(7);
      await runtime.removeContainer(id, scope);
      await expect(
        runtime.exec(id, { command: ["true"], stdin: false, tty: false }, scope),
      ).rejects.toMatchObject({
        code: "NotFound",
      });
    });

    test("on a terminal that changes its size", async () => {
      const id = await fixture.run(runtime, "exec sleep 1000");
      const session = await runtime.exec(
        id,
        {
          command: [
            "sh",
            "-c",
            "stty size; read line; until [ \"$(stty size)\" = '40 120' ]; do sleep 0.01; done; echo $line-$TERM; kill -9 $$",
          ],
          stdin: true,
          tty: true,
          size: { columns: 100, rows: 30 },
        },
        scope,
      );
      let output = "";
      for await (const chunk of session.stdout) {
        const before = output;
        output += chunk.toString();
        if (!before.includes("30 100") && output.includes("30 100")) {
          session.resize(120, 40);
          session.stdin?.write("hello\r");
        }
      }
      expect(output).toMatch(/30 100\r\n(hello\r\n)?hello-xterm\r\n/);
      expect(await session.exited).toBe(137);
      await runtime.removeContainer(id, scope);
    });

    test("kill ends the process and its children, nothing else", async () => {
      const id = await fixture.run(runtime, "exec sleep 1000");
      const request = { command: ["sh", "-c", "sleep 1001 & echo up; wait"], stdin: false, tty: false };
      const session = await runtime.exec(id, request, scope);
      for await (const chunk of session.stdout) if (chunk.toString().includes("up")) break;
      session.kill();
      session.kill();
      expect(await session.exited).toBe(137);
      const { cgroup, pid, phase } = runtime.getContainer(id) ?? { cgroup: "" };
      expect(phase).toBe("Running");
      await expect.poll(() => processesIn(cgroup)).toEqual([pid]);
      await runtime.removeContainer(id, scope);
    });

    test("ends although a process in the background keeps its output open", async ({ skip }) => {
      skip(name === "runc", "runc copies the output itself and waits for its end");
      const id = await fixture.run(runtime, "exec sleep 1000");
      const request = { command: ["sh", "-c", "sleep 1001 & echo up"], stdin: false, tty: false };
      const session = await runtime.exec(id, request, scope);
      const [stdout, code] = await Promise.all([
        session.stdout.toArray(),
        session.exited,
        session.stderr?.resume(),
      ]);
      expect(Buffer.concat(stdout).toString()).toBe("up\n");
      expect(code).toBe(0);
      await runtime.removeContainer(id, scope);
    });
  });

  describe("another daemon on the same folders", () => {
    test("finds running containers and exits that nobody saw, and removes what was never started", async () => {
      const running = await fixture.run(runtime, "exec sleep 1000", { name: "running" });
      const ending = await fixture.run(runtime, "read line; exit 5", {
        name: "ending",
        container: { stdin: true },
      });
      const created = newContainerID();
      await runtime.createContainer(
        created,
        fixture.sandbox,
        fixture.config("true", { name: "created" }),
        scope,
      );
      const before = runtime.getContainer(running);
      await runtime.stop();
      const pid = runtime.getContainer(ending)?.pid ?? 0;
      process.kill(pid, "SIGKILL");
      runtime = await fixture.newRuntime(name);
      expect(runtime.getContainer(running)).toEqual(before);
      expect(await exited(runtime, ending)).toMatchObject({ exitCode: 137, reason: "Error" });
      expect(runtime.getContainer(created)).toBeUndefined();
      expect(processesNaming(created)).toEqual([]);
      expect(existsSync(containerStateDir(fixture.layout, created))).toBe(false);
      for (const id of [running, ending]) await runtime.removeContainer(id, scope);
    });

    test("reports an end that nobody could see as unknown", async () => {
      const id = await fixture.run(runtime, "exec sleep 1000");
      const pid = runtime.getContainer(id)?.pid ?? 0;
      process.kill(parentOf(pid), "SIGKILL");
      process.kill(pid, "SIGKILL");
      await expect
        .poll(async () => {
          await runtime.relist(scope);
          return runtime.getContainer(id);
        })
        .toMatchObject({ phase: "Exited", exitCode: 137, reason: "ContainerStatusUnknown" });
      await runtime.removeContainer(id, scope);
    });
  });
});

function parentOf(pid: number): number {
  return processStat(pid)?.parent ?? 0;
}
