import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startProcess } from "../../src/host/child-process.ts";
import { containerRunDir, containerStateDir } from "../../src/host/layout.ts";
import { commandLineOf } from "../../src/host/processes.ts";
import type { ContainerConfig } from "../../src/runtime/types.ts";
import { cgroupsOf, exited, type Fixture, makeFixture, processesNaming, scope } from "./runtime-fixture.ts";

let fixture: Fixture;

beforeAll(async () => {
  fixture = await makeFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

function below(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** How many milliseconds it takes here to make, start, stop and remove a container. */
async function lifetime(name: string): Promise<number> {
  const runtime = await fixture.newRuntime(name);
  const begun = scope.clock.now();
  const id = await fixture.run(runtime, "exec sleep 1000", { name: `${name}-timed` });
  await runtime.stopContainer(id, 0, scope);
  await runtime.removeContainer(id, scope);
  await runtime.stop();
  return scope.clock.now() - begun;
}

/** A daemon's runtime in a process of its own, which waits for {@link begin}. */
async function startDaemon(
  name: string,
  configs: readonly ContainerConfig[],
  rounds: "once" | "without end" = "without end",
): Promise<ChildProcess> {
  const inputFile = join(fixture.layout.stateDir, "input.json");
  writeFileSync(inputFile, JSON.stringify({ layout: fixture.layout, sandbox: fixture.sandbox, configs }));
  const script = join(import.meta.dirname, "runtime-crash-daemon.ts");
  const daemon = startProcess(process.execPath, [script, inputFile, name, rounds], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await Promise.race([
    once(daemon.stdout as NodeJS.EventEmitter, "data"),
    once(daemon, "close").then(([code]) => Promise.reject(new Error(`the daemon ended with ${code}`))),
  ]);
  return daemon;
}

/** Has it create, start, stop and remove its containers. */
function begin(daemon: ChildProcess): void {
  daemon.stdin?.write("begin\n");
}

/**
 * What the next daemon finds is in order: it has really begun, and ends when it is told to. Nothing is left of the rest, and the
 * next container finds a clean place. Returns the phases it found.
 */
async function takeOver(name: string): Promise<readonly string[]> {
  const runtime = await fixture.newRuntime(name);
  const found = runtime.listContainers();
  for (const record of found) {
    expect(record.phase).not.toBe("Created");
    // It runs the container's program, not the runtime's that waits to become it; or it had been killed, which is told soon.
    await expect
      .poll(() => runtime.getContainer(record.id)?.phase === "Exited" || commandLineOf(record.pid ?? 0)[0])
      .toBeOneOf([true, "sleep"]);
    await runtime.stopContainer(record.id, 0, scope);
    expect((await exited(runtime, record.id)).exitCode).toBe(137);
    await runtime.removeContainer(record.id, scope);
  }
  expect(below(dirname(containerStateDir(fixture.layout, "x")))).toEqual([]);
  expect(below(dirname(containerRunDir(fixture.layout, "x")))).toEqual([]);
  expect(below(join(fixture.layout.runDir, "runtime"))).toEqual([]);
  expect(below(join(fixture.layout.runDir, "exits"))).toEqual([]);
  // A monitor may be on its last steps.
  await expect.poll(() => processesNaming(fixture.layout.runDir)).toEqual([]);
  expect(
    cgroupsOf(fixture.layout).flatMap((folder) =>
      below(join(folder, `pod${fixture.sandbox.podUID}`)).filter((each) => each.startsWith(name)),
    ),
  ).toEqual([]);
  const id = await fixture.run(runtime, "exit 4", { name: `${name}-after` });
  expect((await exited(runtime, id)).exitCode).toBe(4);
  await runtime.removeContainer(id, scope);
  await runtime.stop();
  return found.map(({ phase }) => phase);
}

const longLife = "exec sleep 1000";

test.each(["crun", "runc"])(
  "a daemon killed at any instant leaves nothing that the next one does not know (%s)",
  async (name) => {
    const configs = ["one", "two"].map((each) => fixture.config(longLife, { name: `${name}-${each}` }));
    const phases = new Set<string>();
    const rounds = 12;
    const whole = await lifetime(name);
    // On a machine that has become slower since, a container may take longer than all of them: then some more.
    for (let round = 0; round < rounds || (phases.size === 0 && round < 3 * rounds); round += 1) {
      const daemon = await startDaemon(name, configs);
      begin(daemon);
      // Spread over a container's whole life and a little more, however slow the machine is.
      await scope.clock.sleep(1.5 * whole * ((round + 0.5) / rounds), scope.signal);
      daemon.kill("SIGKILL");
      await once(daemon, "close");
      for (const phase of await takeOver(name)) phases.add(phase);
    }
    expect(phases.size).toBeGreaterThan(0);
  },
);

// What takes microseconds is never hit by chance: strace(1) kills the daemon's main thread right before the call.
test.each(["write", "unlink", "rename", "mkdir"])(
  "a daemon killed before any %s of a container's life leaves nothing that the next one does not know",
  async (systemCall) => {
    const config = fixture.config(longLife, { name: `crun-${systemCall}` });
    let killed = 0;
    for (let isKilled = true; isKilled; ) {
      const daemon = await startDaemon("crun", [config], "once");
      const ended = once(daemon, "close");
      const tracer = await killBefore(daemon, systemCall, killed + 1);
      begin(daemon);
      const [exitCode, signal] = await ended;
      await tracer.ended;
      isKilled = signal === "SIGKILL";
      if (isKilled) killed += 1;
      else expect(exitCode).toBe(0);
      await takeOver("crun");
    }
    expect(killed).toBeGreaterThan(0);
  },
);

/** Sends SIGKILL to the daemon when it is about to make this system call for the nth time from now on. Ends with the daemon. */
async function killBefore(daemon: ChildProcess, systemCall: string, nth: number) {
  const injection = `inject=${systemCall}:signal=KILL:when=${nth}`;
  const args = ["-p", String(daemon.pid), "-o", "/dev/null", "-e", `trace=${systemCall}`, "-e", injection];
  const tracer = startProcess("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(tracer, "close");
  const [text] = await once(tracer.stderr as NodeJS.EventEmitter, "data");
  expect(String(text)).toContain("attached");
  return { ended };
}
