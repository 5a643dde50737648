import { randomBytes } from "node:crypto";

/** A container id that no other container has: 64 hex digits, as containerd's. */
export function newContainerID(): string {
  return randomBytes(32).toString("hex");
}
