import { kubernetesTime } from "../../base/clock.ts";
import type { Evidence } from "../types.ts";

/** What the deep look says, with the time from which on it counted. */
export function deepEvidence(since: number, detail: string): Evidence {
  return { source: "bpftrace", detail: `${detail} since ${kubernetesTime(since)}` };
}
