import type { Probe } from "../../kube/types.ts";

/** Counts a probe's results in a row and says when they are enough to mean something. Pure but for its counts. */
export class ProbeCounter {
  readonly #thresholds: { readonly Success: number; readonly Failure: number };
  #last: "Success" | "Failure" | undefined;
  #run = 0;

  constructor({ successThreshold = 1, failureThreshold = 3 }: Probe) {
    this.#thresholds = { Success: successThreshold, Failure: failureThreshold };
  }

  /** Takes in one result; returns it when its threshold is reached. */
  count(result: "Success" | "Failure"): "Success" | "Failure" | undefined {
    this.#run = this.#last === result ? this.#run + 1 : 1;
    this.#last = result;
    return this.#run >= this.#thresholds[result] ? result : undefined;
  }
}
