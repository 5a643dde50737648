/** Which of a container's probes. */
export type ProbeKind = "startup" | "liveness" | "readiness";

/** What a probe's results so far amount to, by its thresholds; Unknown: nothing yet. */
export type ProbeResult = "Success" | "Failure" | "Unknown";

/** What one attempt of a probe found; a Warning counts as success. */
export interface ProbeOutcome {
  readonly verdict: "Success" | "Warning" | "Failure";
  readonly output: string;
}
