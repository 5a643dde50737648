import type { MissingEvidence } from "../../channels/types.ts";
import type { Finding } from "../finding.ts";
import type { LiveEvidence } from "./view.ts";

/** A finding about a running pod. */
export interface LiveFinding extends Finding {
  /** Those that it is about, the one that suffers first; empty: the whole pod. */
  readonly containers: readonly string[];
  /** Which kernel file, log or object said so. */
  readonly evidence: readonly LiveEvidence[];
}

/** Whether and how one container can reach another. */
export interface ReachAnswer {
  readonly question: ReachQuestion;
  /** Unknown where the kernel does not tell. */
  readonly reachable: "Yes" | "No" | "Unknown";
  /** One line per way or reason, the most telling first. */
  readonly because: readonly string[];
  readonly evidence: readonly LiveEvidence[];
  readonly fix?: string;
}

/** Names of containers, and an address: `HOST:PORT`, a path, `@NAME`, `shm:/NAME`. */
export interface ReachQuestion {
  readonly from: string;
  readonly to?: string;
  readonly address?: string;
}

/** Resource `diagnoses.peapod.dev/v1alpha1`: computed when it is read (docs/reference/why.md). */
export interface Diagnosis {
  readonly apiVersion: "peapod.dev/v1alpha1";
  readonly kind: "Diagnosis";
  /** The pod's. */
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly creationTimestamp: string;
  };
  /** The worst first. */
  readonly findings: readonly LiveFinding[];
  readonly answer?: ReachAnswer;
  /** What this machine can't tell. */
  readonly missing: readonly MissingEvidence[];
}
