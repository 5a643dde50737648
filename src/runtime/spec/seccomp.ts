import { allowedSystemCalls, architectureSystemCalls, capabilitySystemCalls } from "./default-seccomp.ts";
import type { OCISeccomp, OCISeccompRule } from "./oci.ts";

/** Every CLONE_NEW… flag of clone(2) except CLONE_NEWTIME, which shares its bit with the exit signal. */
const newNamespaceFlags = 0x7e02_0000;
const noSuchSystemCall = 38;
const notPermitted = 1;
const vsockFamily = 40;
/** personality(2) values that change nothing that matters: Linux, 32-bit Linux, UNAME26, and asking. */
const harmlessPersonalities = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/** The seccomp names of the machine's architecture and of those whose programs it runs too. */
const architectures: Readonly<Record<string, readonly string[]>> = {
  x86_64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  aarch64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

/**
 * The default seccomp profile for a container with these capabilities: refused calls fail with EPERM, as with
 * containerd. Making namespaces needs CAP_SYS_ADMIN; without it clone3(2) fails with ENOSYS, since its flags
 * are out of the filter's sight, and C libraries then fall back to clone(2), whose flags are checked.
 */
export function defaultSeccomp(capabilities: readonly string[], architecture: string): OCISeccomp {
  const ofCapabilities = capabilities.flatMap((name) => capabilitySystemCalls[name] ?? []);
  const names = [
    ...new Set([...allowedSystemCalls, ...(architectureSystemCalls[architecture] ?? []), ...ofCapabilities]),
  ];
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: notPermitted,
    ...(architectures[architecture] === undefined ? {} : { architectures: architectures[architecture] }),
    syscalls: [
      { names, action: "SCMP_ACT_ALLOW" },
      {
        names: ["socket"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value: vsockFamily, op: "SCMP_CMP_NE" }],
      },
      ...harmlessPersonalities.map(
        (value): OCISeccompRule => ({
          names: ["personality"],
          action: "SCMP_ACT_ALLOW",
          args: [{ index: 0, value, op: "SCMP_CMP_EQ" }],
        }),
      ),
      ...(capabilities.includes("CAP_SYS_ADMIN") ? [] : withoutNewNamespaces),
    ],
  };
}

const withoutNewNamespaces: readonly OCISeccompRule[] = [
  {
    names: ["clone"],
    action: "SCMP_ACT_ALLOW",
    args: [{ index: 0, value: newNamespaceFlags, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
  },
  { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: noSuchSystemCall },
];
