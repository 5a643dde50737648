import { createHash } from "node:crypto";

/**
 * A number from 0 to 255 that tells most nodes on one machine apart: by it they choose blocks of addresses of their own.
 * The default instance has 0; the same instance always has the same.
 */
export function instanceNumber(instance: string): number {
  return instance === "peapod" ? 0 : (createHash("sha256").update(instance).digest()[0] ?? 0);
}
