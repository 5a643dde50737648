import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, runCommand, type TestNode, testNode } from "../helpers/peapod.ts";

const manifest = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "greedy" },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      { name: "main", image: "peapod.dev/host", command: ["sleep", "1000"] },
      {
        name: "second",
        image: "peapod.dev/host",
        command: ["sh", "-c", "while :; do echo line; sleep 0.1; done"],
      },
    ],
  },
});

const disk = mkdtempSync(join(tmpdir(), "peapod-disk-"));
let node: TestNode;
beforeAll(async () => {
  await runCommand("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", disk]);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = disk;
  node = await testNode().finally(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
});
afterAll(async () => {
  await node?.close();
  await runCommand("umount", [disk]);
  rmSync(disk, { recursive: true });
});

async function fillDisk(): Promise<void> {
  await node.ok(["up", "-d", "-f", "-"], { input: manifest });
  const reserve = () => statSync(join(node.stateDir, "peapod.db-wal")).size > 4 * 1024 * 1024 || undefined;
  await eventually(reserve, "the store's reserve");
  const fill = "for size in 1M 1k; do dd if=/dev/zero of=/tmp/$size bs=$size; done; echo more >>/tmp/more";
  const { stderr } = await node.peapod(["exec", "greedy", "-c", "main", "--", "sh", "-c", fill]);
  expect(stderr).toContain("No space left on device");
}

test("a pod that has filled the disk can be removed", async () => {
  await fillDisk();
  expect(await node.ok(["down", "--all"])).toContain('pod "greedy" deleted');
});

test("also by a daemon that was started on the full disk, after the other was killed", async () => {
  await fillDisk();
  await node.killDaemon();
  expect(await node.ok(["down", "--all"])).toContain('pod "greedy" deleted');
});
