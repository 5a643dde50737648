import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { podVolumesDir } from "../../src/host/layout.ts";
import { bindMount } from "../../src/host/mounts.ts";
import type { Volume } from "../../src/kube/types.ts";
import { createVolumeService } from "../../src/volumes/volume-service.ts";
import { scope, testLayout, testPod } from "../helpers/pod-drivers.ts";

type HostPathType = NonNullable<NonNullable<Volume["hostPath"]>["type"]>;

const node = testLayout();
const volumes = createVolumeService({ layout: node.layout });
const host = mkdtempSync(join(tmpdir(), "peapod-host-"));

afterEach(async () => {
  for (const podUID of volumes.list()) await volumes.unmount(podUID, scope);
  expect(node.traces()).toEqual([]);
  expect(
    existsSync(join(node.layout.stateDir, "pods")) ? readdirSync(join(node.layout.stateDir, "pods")) : [],
  ).toEqual([]);
});
afterAll(() => {
  node.remove();
  rmSync(host, { recursive: true });
});

const none = new Map();

const podWith = (...list: Volume[]) => testPod("volumes", { volumes: list });

async function mountOne(volume: Volume): Promise<string> {
  const mounted = await volumes.mount(podWith(volume), none, scope);
  return mounted.get(volume.name)?.hostPath ?? "";
}

describe("emptyDir", () => {
  test("on disk is open to every user, whatever the umask", async () => {
    const before = process.umask(0o077);
    try {
      expect(statSync(await mountOne({ name: "data", emptyDir: {} })).mode & 0o7777).toBe(0o777);
    } finally {
      process.umask(before);
    }
  });

  test("in memory is a tmpfs of sizeLimit bytes, the same one at the second call", async () => {
    const pod = podWith({ name: "fast", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } });
    const path = (await volumes.mount(pod, none, scope)).get("fast")?.hostPath ?? "";
    const { blocks, bsize } = statfsSync(path);
    expect(blocks * bsize).toBe(1024 * 1024);
    expect(statSync(path).mode & 0o7777).toBe(0o777);
    writeFileSync(join(path, "kept"), "x".repeat(4096));
    expect(volumes.find(pod)).toEqual(await volumes.mount(pod, none, scope));
    expect(existsSync(join(path, "kept"))).toBe(true);
    expect(await volumes.usage(pod, scope)).toEqual([
      { name: "fast", usedBytes: 4096, limitBytes: 1024 * 1024 },
    ]);
  });

  test("use of a limited folder is measured; others are not", async () => {
    const pod = podWith({ name: "limited", emptyDir: { sizeLimit: "10Ki" } }, { name: "free", emptyDir: {} });
    const path = (await volumes.mount(pod, none, scope)).get("limited")?.hostPath ?? "";
    writeFileSync(join(path, "big"), "x".repeat(100_000));
    const [usage, ...others] = await volumes.usage(pod, scope);
    expect(others).toEqual([]);
    expect(usage).toMatchObject({ name: "limited", limitBytes: 10 * 1024 });
    expect(usage?.usedBytes).toBeGreaterThanOrEqual(100_000);
  });
});

describe("hostPath", () => {
  const at = (type: HostPathType, name: string): Volume => ({
    name: "host",
    hostPath: { path: join(host, name), type },
  });

  test("what the type makes is made, and is not deleted with the pod", async () => {
    expect(statSync(await mountOne(at("DirectoryOrCreate", "made/folder"))).mode & 0o7777).toBe(0o755);
    expect(statSync(await mountOne(at("FileOrCreate", "made/file"))).mode & 0o7777).toBe(0o644);
    expect(statSync(await mountOne(at("", "untyped"))).isDirectory()).toBe(true);
    expect(readdirSync(join(host, "made")).toSorted()).toEqual(["file", "folder"]);
    expect(volumes.list()).toEqual([]);
  });

  test("what is there must be of the type", async () => {
    mkdirSync(join(host, "folder"));
    writeFileSync(join(host, "file"), "");
    const socket = createServer().listen(join(host, "socket"));
    const failure = (type: HostPathType, path: string) =>
      volumes.mount(podWith({ name: "host", hostPath: { path, type } }), none, scope).then(
        () => "",
        (error: Error) => error.message.replace(/^.*? : /, ""),
      );
    const [folder, file, socketPath] = ["folder", "file", "socket"].map((name) => join(host, name)) as [
      string,
      string,
      string,
    ];
    const failed = "hostPath type check failed:";
    expect(await failure("Directory", folder)).toBe("");
    expect(await failure("Directory", file)).toBe(`${failed} ${file} is not a directory`);
    expect(await failure("DirectoryOrCreate", file)).toBe(`${failed} ${file} is not a directory`);
    expect(await failure("Directory", `${host}/none`)).toBe(`${failed} ${host}/none is not a directory`);
    expect(await failure("File", file)).toBe("");
    expect(await failure("File", folder)).toBe(`${failed} ${folder} is not a file`);
    expect(await failure("FileOrCreate", folder)).toBe(`${failed} ${folder} is not a file`);
    expect(await failure("Socket", socketPath)).toBe("");
    expect(await failure("Socket", file)).toBe(`${failed} ${file} is not a socket file`);
    expect(await failure("CharDevice", "/dev/null")).toBe("");
    expect(await failure("CharDevice", file)).toBe(`${failed} ${file} is not a character device`);
    expect(await failure("BlockDevice", "/dev/null")).toBe(`${failed} /dev/null is not a block device`);
    expect(await failure("Pond" as HostPathType, file)).toBe("Pond is an invalid volume type");
    socket.close();
  });
});

describe("failure and deletion", () => {
  test("a pod whose second volume fails leaves nothing of the first", async () => {
    const pod = podWith(
      { name: "memory", emptyDir: { medium: "Memory" } },
      { name: "host", hostPath: { path: "/nonexistent", type: "File" } },
    );
    await expect(volumes.mount(pod, none, scope)).rejects.toThrow(
      'MountVolume.SetUp failed for volume "host" : hostPath type check failed: /nonexistent is not a file',
    );
    expect(volumes.list()).toEqual([]);
    expect(volumes.find(pod).has("memory")).toBe(false);
  });

  test("a volume of an unknown type is refused by name", async () => {
    const pod = podWith({ name: "far", nfs: { server: "example.com", path: "/" } });
    await expect(volumes.mount(pod, none, scope)).rejects.toMatchObject({ code: "FailedMount" });
    expect(volumes.find(pod).size).toBe(0);
  });

  test("deletion follows no link and goes through no mount", async () => {
    const precious = join(host, "precious");
    mkdirSync(precious);
    writeFileSync(join(precious, "file"), "still here");
    const pod = podWith({ name: "data", emptyDir: {} });
    const path = (await volumes.mount(pod, none, scope)).get("data")?.hostPath ?? "";
    symlinkSync(precious, join(path, "link"));
    mkdirSync(join(path, "mounted"));
    await bindMount(precious, join(path, "mounted"), [], scope);
    mkdirSync(join(path, "deep/er"), { recursive: true });
    execFileSync("chattr", ["+i", join(path, "deep")], { stdio: "ignore" });
    await expect(volumes.unmount(pod.metadata.uid, scope)).rejects.toThrow("Operation not permitted");
    execFileSync("chattr", ["-i", join(path, "deep")], { stdio: "ignore" });
    expect(volumes.list()).toEqual([pod.metadata.uid]);

    await volumes.unmount(pod.metadata.uid, scope);
    await volumes.unmount(pod.metadata.uid, scope);
    expect(existsSync(podVolumesDir(node.layout, pod.metadata.uid))).toBe(false);
    expect(readdirSync(precious)).toEqual(["file"]);
  });
});
