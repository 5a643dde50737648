import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { openStore } from "./sqlite-store.ts";

/** Writes without end and says on standard output which write the store has acknowledged. */
const writer = `
  import { writeSync } from "node:fs";
  import { openStore } from ${JSON.stringify(new URL("./sqlite-store.ts", import.meta.url).href)};
  const store = openStore(process.argv[1]);
  for (let index = 0; ; index += 1) {
    const object = store.create("pods", { apiVersion: "v1", kind: "Pod", metadata: { name: "pod-" + index } });
    writeSync(1, object.metadata.name + " " + object.metadata.resourceVersion + "\\n");
  }
`;

test("every acknowledged write survives kill -9 in the midst of writing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "peapod-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "objects.sqlite");

  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", writer, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === 500) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");

  const store = openStore(path);
  onTestFinished(() => store.close());
  const names = new Set(
    store.list("pods").items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`),
  );
  expect(acknowledged.length).toBeGreaterThanOrEqual(500);
  // The last line may be torn by the kill; a whole one has a version that was counted on from.
  expect(acknowledged.slice(0, -1).filter((line) => !names.has(line))).toEqual([]);

  // One more write may have been committed than was said; the counter goes on from the last committed one.
  const newest = Number(store.resourceVersion());
  expect(newest).toBe(names.size + 1);
  const next = store.create("pods", { apiVersion: "v1", kind: "Pod", metadata: { name: "after" } });
  expect(Number(next.metadata.resourceVersion)).toBe(newest + 1);
});

test("a second process cannot open the same file", () => {
  const folder = mkdtempSync(join(tmpdir(), "peapod-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "objects.sqlite");
  const store = openStore(path);
  onTestFinished(() => store.close());
  expect(() => openStore(path, { lockMilliseconds: 0 })).toThrow("database is locked");
});
