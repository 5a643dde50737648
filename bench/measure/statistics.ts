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

/** A figure with the interval in which it lies with 95 % confidence. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Computes a figure from rounds, and how far chance may have moved it: the same figure of as many rounds drawn
 * with replacement, again and again (bootstrap, percentile method). Rounds are drawn whole, so what was measured
 * side by side stays together.
 */
export function estimate<T>(
  rounds: readonly T[],
  figure: (drawn: readonly T[]) => number,
  draws = 400,
): Estimate {
  const drawn = Array.from({ length: draws }, () =>
    figure(rounds.map(() => rounds[Math.floor(Math.random() * rounds.length)] as T)),
  ).sort((a, b) => a - b);
  const at = (part: number) => drawn[Math.min(draws - 1, Math.floor(part * draws))] ?? Number.NaN;
  return { value: figure(rounds), low: at(0.025), high: at(0.975) };
}
