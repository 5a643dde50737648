import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { quietScope } from "../../src/base/scope.ts";
import { createChannelObserver } from "../../src/channels/observer.ts";
import { fileSystemDevice } from "../../src/host/mount-info.ts";
import { createCgroupCounters } from "../../src/network/counters/cgroup-counters.ts";
import { HandMadePod } from "../fixtures/hand-made-pod.ts";

const scope = quietScope();
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** An empty file that is made a file system by `format` (a program and its arguments). */
function newImage(size: number, format: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "peapod-file-system-"));
  undo.push(() => rmSync(folder, { recursive: true }));
  const image = join(folder, "image");
  writeFileSync(image, "");
  truncateSync(image, size);
  const [program = "", ...words] = format;
  execFileSync(program, [...words, image], { stdio: "ignore" });
  return image;
}

function mount(image: string, target: string, options: readonly string[] = []): void {
  execFileSync("mount", ["-o", ["loop", ...options].join(","), image, target]);
  undo.push(() => execFileSync("umount", [target]));
}

function identityOf(path: string): { device: number; inode: number } {
  const { dev, ino } = statSync(path);
  return { device: dev, inode: ino };
}

/** The volume is a subvolume of btrfs: stat(2) gives it another device than the kernel's tables. */
async function onBtrfs(pod: HandMadePod): Promise<string> {
  const image = newImage(128 * 2 ** 20, ["mkfs.btrfs", "--quiet"]);
  mount(image, pod.volume);
  execFileSync("btrfs", ["subvolume", "create", join(pod.volume, "inner")], { stdio: "ignore" });
  execFileSync("umount", [pod.volume]);
  undo.pop();
  mount(image, pod.volume, ["subvol=inner"]);
  expect(identityOf(pod.volume).device).not.toBe(fileSystemDevice(pod.volume));
  return "";
}

/** Files in this folder of the volume have inodes of more than 32 bits, of which sock_diag(7) tells 32. */
async function onLargeXFS(pod: HandMadePod): Promise<string> {
  mount(newImage(4 * 2 ** 40, ["mkfs.xfs", "-q"]), pod.volume);
  for (let number = 0; number < 64; number += 1) {
    const name = `folder${number}`;
    mkdirSync(join(pod.volume, name));
    if (identityOf(join(pod.volume, name)).inode > 2 ** 32) return `/${name}`;
  }
  throw new Error("no folder far from the start of the disk");
}

const deepMilliseconds = 60_000;

/** Loads the kernel's module where it is one. */
function hasFileSystem(type: string): boolean {
  const isThere = () => readFileSync("/proc/filesystems", "utf8").includes(`\t${type}\n`);
  if (!isThere()) spawnSync("modprobe", [type]);
  return isThere();
}

test.for([
  ["btrfs", "with a subvolume", onBtrfs, ["the kernel tells no events of mounts of a btrfs subvolume"]],
  ["xfs", "of four terabytes", onLargeXFS, []],
] as const)("channels by files of %s %s", async ([type, , prepare, reasons], { skip }) => {
  skip(!hasFileSystem(type), `this kernel has no ${type}`);
  const pod = new HandMadePod("pod");
  undo.push(() => pod.remove());
  const folder = await prepare(pod);
  await pod.ready();
  const at = `VOLUME${folder}`;
  const words = (...programs: string[]) => programs.join(" -- ").split(" ");
  const counters = await createCgroupCounters({ unixDelay: 0 });
  for (const name of ["a", "b"]) counters.install(`${pod.cgroup}/${name}`);
  const pods = { runningPods: () => [pod.observed()] };
  const observer = createChannelObserver({ pods, counters, busyInterval: 200 });
  observer.start(scope);
  undo.push(() => observer.stop());
  mkdirSync(join(pod.volume, folder, "conf"));
  await pod.run("a", {
    talk: words(
      `unix-server stream ${at}/held.sock`,
      `unix-echo stream ${at}/called.sock`,
      `unix-stale ${at}/stale.sock`,
      `file-map ${at}/mapped rw`,
      `file-watch ${at}/conf`,
      `fifo-read ${at}/fifo`,
    ),
  });
  // It counts from its start on.
  await observer.list(scope, { deep: true });
  await pod.run("b", {
    talk: words(
      `unix-client stream ${at}/held.sock`,
      `unix-often stream ${at}/called.sock`,
      `file-tail ${at}/mapped`,
      `fifo-write ${at}/fifo 100000`,
    ),
  });

  const expected = [
    `UnixStream shared:${folder}/held.sock: b to a`,
    `UnixStream shared:${folder}/called.sock: b to a`,
    `UnixStream shared:${folder}/stale.sock: Stale`,
    `SharedFile shared:${folder}/mapped: a to b, 2 have it`,
    `SharedFile shared:${folder}/conf: a watches`,
    `FIFO shared:${folder}/fifo: b to a, 100000 bytes`,
  ];
  const receivers = ["Server", "Reader", "Receiver"];
  const seen = async () =>
    (await observer.list(scope, { deep: true })).channels.map(({ spec, status }) => {
      const ends = status.endpoints
        .toSorted((x, y) => Number(receivers.includes(x.role)) - Number(receivers.includes(y.role)))
        .map(({ container }) => container)
        .join(" to ");
      const watches = status.evidence.some(({ detail }) => detail.includes("watches")) ? " watches" : "";
      const having = status.evidence.filter(({ detail }) => / has \S+ open /.test(detail)).length;
      const held = spec.type === "SharedFile" && having > 0 ? `, ${having} have it` : "";
      const bytes = spec.type === "FIFO" ? `, ${status.traffic?.clientToServer?.bytes} bytes` : "";
      return `${spec.type} ${spec.address}: ${status.state === "Stale" ? "Stale" : `${ends}${watches}${held}${bytes}`}`;
    });
  await expect
    .poll(seen, { timeout: deepMilliseconds, interval: 500 })
    .toEqual(expect.arrayContaining(expected));
  expect((await seen()).filter((line) => line.endsWith("Stale"))).toHaveLength(1);
  const { missing } = await observer.list(scope);
  expect(missing).toEqual(
    reasons.map((reason) => expect.objectContaining({ reason: expect.stringContaining(reason) })),
  );
});
