import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startProcess } from "../../src/host/child-process.ts";
import { containerRunDir, containerStateDir } from "../../src/host/layout.ts";
import { newContainerID } from "../../src/runtime/container-id.ts";
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
  const id = newContainerID();
  const begun = scope.clock.now();
  await runtime.createContainer(
    id,
    fixture.sandbox,
    fixture.config("exec sleep 1000", { name: `${name}-timed` }),
    scope,
  );
  await runtime.startContainer(id, scope);
  await runtime.stopContainer(id, 0, scope);
  await runtime.removeContainer(id, scope);
  await runtime.stop();
  return scope.clock.now() - begun;
}

test.each(["crun", "runc"])(
  "a daemon killed at any instant leaves nothing that the next one does not know (%s)",
  async (name) => {
    const inputFile = join(fixture.layout.stateDir, "input.json");
    const configs = ["one", "two"].map((each) =>
      fixture.config("exec sleep 1000", { name: `${name}-${each}` }),
    );
    writeFileSync(inputFile, JSON.stringify({ layout: fixture.layout, sandbox: fixture.sandbox, configs }));
    const phases = new Set<string>();
    const rounds = 12;
    const whole = await lifetime(name);
    for (let round = 0; round < rounds; round += 1) {
      const daemon = startProcess(
        process.execPath,
        [join(import.meta.dirname, "runtime-crash-daemon.ts"), inputFile, name],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      await Promise.race([
        once(daemon.stdout as NodeJS.EventEmitter, "data"),
        once(daemon, "close").then(([code]) => Promise.reject(new Error(`the daemon ended with ${code}`))),
      ]);
      // Spread over a container's whole life and a little more, however slow the machine is.
      await scope.clock.sleep(1.5 * whole * ((round + 0.5) / rounds), scope.signal);
      daemon.kill("SIGKILL");
      await once(daemon, "close");

      const runtime = await fixture.newRuntime(name);
      for (const record of runtime.listContainers()) {
        phases.add(record.phase);
        // What it took over is in order: it can be started, and it ends when it is told to.
        if (record.phase === "Created") await runtime.startContainer(record.id, scope);
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
      // And the next container finds a clean place.
      const id = newContainerID();
      const config = fixture.config("exit 4", { name: `${name}-after-${round}` });
      await runtime.createContainer(id, fixture.sandbox, config, scope);
      await runtime.startContainer(id, scope);
      expect((await exited(runtime, id)).exitCode).toBe(4);
      await runtime.removeContainer(id, scope);
      await runtime.stop();
    }
    expect(phases.size).toBeGreaterThan(0);
  },
);
