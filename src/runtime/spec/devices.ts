import type { OCIDevice, OCIDeviceRule } from "./oci.ts";

/** Access to a character device: read, write, make. */
function character(major: number, minor?: number): OCIDeviceRule {
  return { allow: true, type: "c", major, ...(minor === undefined ? {} : { minor }), access: "rwm" };
}

/**
 * Nothing, then what every container needs: containerd's list (its oci.WithDefaultUnixDevices) and making any
 * node without being able to open it. The runtime itself makes /dev/full and the like under these rules.
 * https://docs.kernel.org/admin-guide/devices.html has the numbers.
 */
const defaultRules: readonly OCIDeviceRule[] = [
  { allow: false, access: "rwm" },
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  character(1, 3), // null
  character(1, 5), // zero
  character(1, 7), // full
  character(1, 8), // random
  character(1, 9), // urandom
  character(5, 0), // tty
  character(5, 1), // console
  character(5, 2), // ptmx
  character(136), // pts/*
];

/** Which devices the container may open. */
export function deviceRules(privileged: boolean): readonly OCIDeviceRule[] {
  return privileged ? [{ allow: true, access: "rwm" }] : defaultRules;
}

/** Device nodes the container has beside the runtime's own: all of the host's when it is privileged. */
export function devices(privileged: boolean, hostDevices: () => readonly OCIDevice[]): readonly OCIDevice[] {
  return privileged ? hostDevices() : [];
}
