/** Middle value, and the smallest and largest beside it. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** The summary of at least one value. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  const min = sorted[0];
  const max = sorted.at(-1);
  if (upper === undefined || lower === undefined || min === undefined || max === undefined) {
    throw new RangeError("no values");
  }
  return { median: (upper + lower) / 2, min, max, count: sorted.length };
}

/**
 * How many times larger a is than b, round by round: values of one round were measured within seconds of each
 * other, so a slow minute of the machine hits both.
 */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.flatMap((value, round) => {
    const other = b[round];
    return other === undefined || other <= 0 ? [] : [value / other];
  });
}
