import { describe, expect, test } from "vitest";
import { chooseUserRange, rangeSize } from "./user-ranges.ts";

const none = { subuid: "", subgid: "" };
const choose = (taken: number[], subordinate = none, instance = "peapod") =>
  chooseUserRange(new Set(taken), instance, subordinate);

describe("ranges of user IDs", () => {
  test("begin above this machine's own users and are free ones", () => {
    expect(choose([])).toBe(65_536);
    expect(choose([65_536, 196_608])).toBe(131_072);
  });

  test("of other users in /etc/subuid and /etc/subgid are left alone", () => {
    expect(choose([], { subuid: "# a\nada:100000:65536\n", subgid: "bob:196608:1\n" })).toBe(262_144);
  });

  test("of user kubelet are taken, as far as they are whole", () => {
    const line = "kubelet:655360:200000\n";
    expect(choose([], { subuid: line, subgid: line })).toBe(655_360);
    expect(() => choose([655_360, 720_896, 786_432], { subuid: line, subgid: line })).toThrow("is left");
  });

  test.each([
    ["kubelet:655360:65536\n", ""],
    ["kubelet:655360:65536\n", "kubelet:655360:131072\n"],
    ["kubelet:655360:65536\nkubelet:6553600:65536\n", "kubelet:655360:65536\n"],
    ["kubelet:100000:65536\n", "kubelet:100000:65536\n"],
    ["kubelet:655360:1000\n", "kubelet:655360:1000\n"],
  ])("of user kubelet that are not one whole range are an error: %j %j", (subuid, subgid) => {
    expect(() => choose([], { subuid, subgid })).toThrow("kubelet");
  });

  test("of nodes side by side begin at different places, each a multiple of the size below 2³¹", () => {
    const starts = ["pea000001", "pea000002", "pea000003"].map((name) => choose([], none, name));
    expect(new Set(starts).size).toBe(3);
    for (const start of starts) {
      expect(start % rangeSize).toBe(0);
      expect(start).toBeGreaterThan(0);
      expect(start + rangeSize).toBeLessThanOrEqual(2 ** 31);
    }
  });
});
