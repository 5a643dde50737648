import { describe, expect, test } from "vitest";
import type { ContainerMount } from "../types.ts";
import { type MountOptions, mounts, rootfsPropagation } from "./mounts.ts";

const sandbox = {
  shm: "/s/shm",
  files: { hosts: "/s/hosts", hostname: "/s/hostname", resolvConf: "/s/resolv" },
};
const options: MountOptions = {
  privileged: false,
  recursiveReadOnly: true,
  terminationMessage: { hostPath: "/c/message", mountPath: "/dev/termination-log" },
};

function volume(mountPath: string, rest: Partial<ContainerMount> = {}): ContainerMount {
  return { hostPath: `/v${mountPath}`, mountPath, readOnly: false, propagation: "private", ...rest };
}

function find(destination: string, volumes: ContainerMount[] = [], changed: Partial<MountOptions> = {}) {
  return mounts(sandbox, volumes, { ...options, ...changed }).filter(
    (mount) => mount.destination === destination,
  );
}

test("the kernel's file systems come first, then the sandbox's files", () => {
  expect(mounts(sandbox, [], options).map(({ destination }) => destination)).toEqual([
    "/proc",
    "/dev",
    "/dev/pts",
    "/dev/mqueue",
    "/sys",
    "/sys/fs/cgroup",
    "/dev/shm",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/dev/termination-log",
  ]);
});

describe("/sys and cgroups", () => {
  test.each([
    { privileged: false, option: "ro" },
    { privileged: true, option: "rw" },
  ])("privileged: $privileged", ({ privileged, option }) => {
    expect(find("/sys", [], { privileged })[0]?.options).toContain(option);
    expect(find("/sys/fs/cgroup", [], { privileged })[0]?.options).toContain(option);
  });
});

test("message queues are mounted anew: the host may have no /dev/mqueue to bind", () => {
  expect(find("/dev/mqueue")).toMatchObject([{ type: "mqueue", source: "mqueue" }]);
});

test("volumes are sorted so that each comes after what lies above it", () => {
  const volumes = [volume("/a/b/c"), volume("/b"), volume("/a"), volume("/a/b/")];
  const destinations = mounts(sandbox, volumes, options).map(({ destination }) => destination);
  expect(destinations.slice(-4)).toEqual(["/a", "/b", "/a/b", "/a/b/c"]);
});

test.each(["/etc/hosts", "/dev/shm/", "/etc//resolv.conf"])("a volume takes the place of %s", (mountPath) => {
  const found = find(mountPath.replace(/\/$/, "").replace("//", "/"), [volume(mountPath)]);
  expect(found.map(({ source }) => source)).toEqual([`/v${mountPath}`]);
});

test.each([
  { rest: {}, expected: ["rbind", "rprivate", "rw"] },
  { rest: { readOnly: true }, expected: ["rbind", "rprivate", "ro"] },
  {
    rest: { readOnly: true, recursiveReadOnly: "IfPossible" as const },
    expected: ["rbind", "rprivate", "ro", "rro"],
  },
  {
    rest: { readOnly: true, recursiveReadOnly: "Enabled" as const },
    expected: ["rbind", "rprivate", "ro", "rro"],
  },
  { rest: { noExec: true }, expected: ["rbind", "rprivate", "rw", "noexec"] },
  { rest: { propagation: "rslave" as const }, expected: ["rbind", "rslave", "rw"] },
  { rest: { propagation: "rshared" as const }, expected: ["rbind", "rshared", "rw"] },
])("options of a volume: $expected", ({ rest, expected }) => {
  expect(find("/a", [volume("/a", rest)])[0]?.options).toEqual(expected);
});

test("an old kernel cannot make mounts below a volume read-only", () => {
  const old = { recursiveReadOnly: false };
  const possible = volume("/a", { readOnly: true, recursiveReadOnly: "IfPossible" });
  expect(find("/a", [possible], old)[0]?.options).toEqual(["rbind", "rprivate", "ro"]);
  const needed = volume("/a", { readOnly: true, recursiveReadOnly: "Enabled" });
  expect(() => find("/a", [needed], old)).toThrow("recursive read-only mounts are not supported");
});

test.each([
  { propagations: [] as const, expected: undefined },
  { propagations: ["private", "rslave"] as const, expected: "rslave" },
  { propagations: ["rslave", "rshared"] as const, expected: "rshared" },
])("root propagation for $propagations", ({ propagations, expected }) => {
  expect(rootfsPropagation(propagations.map((propagation) => volume("/a", { propagation })))).toBe(expected);
});
