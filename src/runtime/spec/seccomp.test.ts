import { expect, test } from "vitest";
import { defaultCapabilities } from "./capabilities.ts";
import { defaultSeccomp } from "./seccomp.ts";

/** What the profile does with a system call whose arguments are all zero or unknown: the actions of its rules. */
function rulesFor(name: string, capabilities: readonly string[], architecture = "x86_64") {
  return defaultSeccomp(capabilities, architecture).syscalls.filter(({ names }) => names.includes(name));
}

test("refuses with EPERM what no rule names", () => {
  const profile = defaultSeccomp(defaultCapabilities, "x86_64");
  expect(profile).toMatchObject({ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1 });
  expect(profile.architectures).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
});

const refused = [
  "unshare",
  "mount",
  "setns",
  "bpf",
  "keyctl",
  "add_key",
  "kexec_load",
  "userfaultfd",
  "init_module",
];
test.each([...refused, "io_uring_setup", "pivot_root", "reboot", "swapon", "kcmp", "open_by_handle_at"])(
  "%s is refused by default",
  (name) => {
    expect(rulesFor(name, defaultCapabilities)).toEqual([]);
  },
);

test.each(["read", "execve", "shmget", "mq_open", "ptrace", "chroot", "statx", "arch_prctl", "semtimedop"])(
  "%s is allowed by default",
  (name) => {
    expect(rulesFor(name, defaultCapabilities)).toMatchObject([{ action: "SCMP_ACT_ALLOW" }]);
  },
);

test.each([
  ["CAP_SYS_ADMIN", "unshare"],
  ["CAP_SYS_ADMIN", "mount"],
  ["CAP_SYS_TIME", "clock_settime"],
  ["CAP_SYS_PTRACE", "kcmp"],
  ["CAP_SYSLOG", "syslog"],
])("%s allows %s", (capability, name) => {
  expect(rulesFor(name, [capability])).toMatchObject([{ action: "SCMP_ACT_ALLOW" }]);
});

test("new namespaces need CAP_SYS_ADMIN", () => {
  expect(rulesFor("clone", defaultCapabilities)).toEqual([
    {
      names: ["clone"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
    },
  ]);
  expect(rulesFor("clone3", defaultCapabilities)).toEqual([
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
  ]);
  const rules = rulesFor("clone", ["CAP_SYS_ADMIN"]);
  expect(rules).toHaveLength(1);
  expect(rules[0]?.args).toBeUndefined();
});

test("no system call is named twice", () => {
  const all = defaultSeccomp(["CAP_SYS_ADMIN", "CAP_SYSLOG", "CAP_BPF"], "aarch64").syscalls[0]?.names ?? [];
  expect(new Set(all).size).toBe(all.length);
});
