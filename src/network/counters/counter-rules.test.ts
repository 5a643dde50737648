import { expect, test } from "vitest";
import { counterRules } from "./counter-rules.ts";

const rules = counterRules([{ name: "container-a", path: "unified/peapod/pod1/container-a", level: 3 }]);

test("only rules are made anew: nothing that holds a count is flushed or deleted", () => {
  const destructive = rules.split("\n").filter((line) => /^(flush|delete|destroy)/.test(line));
  expect(destructive.every((line) => line.startsWith("flush chain "))).toBe(true);
});

test("sockets are told apart by the container's cgroup, and no set has a cgroup in its key", () => {
  expect(rules).toContain(
    'add element inet peapod senders { "unified/peapod/pod1/container-a" : jump sent_container_a }',
  );
  expect(rules).toContain("output socket cgroupv2 level 3 vmap @senders");
  expect(rules.split("\n").filter((line) => line.startsWith("add set") && line.includes("cgroup"))).toEqual(
    [],
  );
});

test("what can't be counted leaves before its socket's cgroup is looked up: segments of ports nobody called, datagrams to and from clients", () => {
  for (const [hook, peer] of [
    ["output", "dport"],
    ["input", "sport"],
  ]) {
    const passed = rules.split("\n").filter((line) => line.startsWith(`add rule inet peapod ${hook} `));
    expect(passed.map((line) => /accept$|socket cgroupv2/.exec(line)?.[0])).toEqual([
      "accept",
      "accept",
      "socket cgroupv2",
    ]);
    expect(passed[0]).toContain(`tcp ${peer} != @called`);
    expect(passed[1]).toContain(`udp th ${peer} >= 32768`);
  }
});
