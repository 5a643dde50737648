import { expect, test } from "vitest";
import { parseMountInfo, visibleMounts } from "./mount-info.ts";

const mounts = (...lines: string[]) => parseMountInfo(lines.join("\n"));
const visible = (...lines: string[]) => visibleMounts(mounts(...lines)).map(({ id }) => id);

test("optional fields of any number and escaped characters are read", () => {
  expect(
    mounts("36 35 98:0 /a\\040b /mnt/c\\011d rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=x"),
  ).toEqual([
    {
      id: 36,
      parentID: 35,
      device: 98 * 256,
      root: "/a b",
      target: "/mnt/c\td",
      options: ["rw", "noatime"],
      type: "ext3",
      source: "/dev/root",
      superOptions: ["rw", "errors=x"],
    },
  ]);
});

const root = "1 1 8:1 / / rw - ext4 /dev/vda rw";
const sys = "2 1 0:2 / /sys rw - sysfs sysfs rw";
const cgroup = "3 2 0:3 / /sys/fs/cgroup rw - tmpfs tmpfs rw";
const cpu = "4 3 0:4 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu";

test("mounts that nothing covers are all visible", () => {
  expect(visible(root, sys, cgroup, cpu)).toEqual([1, 2, 3, 4]);
});

test("what is mounted below a folder that was mounted over later is hidden, its copy is not", () => {
  const again = [
    "5 2 0:5 / /sys rw - sysfs sysfs rw",
    "6 5 0:3 / /sys/fs/cgroup rw - tmpfs tmpfs rw",
    "7 6 0:4 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
  ];
  expect(visible(root, sys, cgroup, cpu, ...again)).toEqual([1, 5, 6, 7]);
});

test("of a stack at one place the topmost is visible", () => {
  expect(visible(root, sys, cgroup, cpu, "5 4 0:4 / /sys/fs/cgroup/cpu rw - cgroup peapod rw,cpu")).toEqual([
    1, 2, 3, 5,
  ]);
});

test("a mount on a folder above covers, one on a name that only begins alike does not", () => {
  expect(visible(root, sys, cgroup, cpu, "5 2 0:5 / /sys/fs rw - tmpfs tmpfs rw")).toEqual([1, 2, 5]);
  expect(visible(root, sys, cgroup, cpu, "5 2 0:5 / /sys/fs/cg rw - tmpfs tmpfs rw")).toEqual([
    1, 2, 3, 4, 5,
  ]);
});

test("a root that was mounted over hides everything below it", () => {
  expect(visible(root, sys, "5 1 8:2 / / rw - ext4 /dev/vdb rw")).toEqual([5]);
});
