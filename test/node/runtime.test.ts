import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newContainerID } from "../../src/runtime/container-id.ts";
import type { RuntimeService } from "../../src/runtime/types.ts";
import { exited, type Fixture, logOf, makeFixture, scope } from "./runtime-fixture.ts";

describe.each(["crun", "runc"])("runtime %s", (name) => {
  let fixture: Fixture;
  let runtime: RuntimeService;

  beforeAll(async () => {
    fixture = await makeFixture();
    runtime = await fixture.newRuntime(name);
  });
  afterAll(() => fixture[Symbol.asyncDispose]());

  test("creates, starts, ends, removes", async () => {
    const id = newContainerID();
    const created = await runtime.createContainer(
      id,
      fixture.sandbox,
      fixture.config("echo out; echo err >&2; exit 3"),
      scope,
    );
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

  test("stops within the grace period", async () => {
    const id = await fixture.run(
      runtime,
      "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done",
    );
    const record = runtime.getContainer(id);
    if (record === undefined) throw new Error("no record");
    for await (const chunk of runtime.readLog(record, { follow: true, timestamps: false }, scope)) {
      if (Buffer.from(chunk).toString().includes("ready")) break;
    }
    const stopped = await runtime.stopContainer(id, 30, scope);
    expect(stopped).toMatchObject({ phase: "Exited", exitCode: 0, reason: "Completed" });
    expect(await logOf(runtime, id)).toBe("ready\nbye\n");
    await runtime.removeContainer(id, scope);
  });
});
