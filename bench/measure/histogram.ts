/** Times from 0.1 µs to 1 s, each bin a quarter of a percent wider than the one before. */
const smallest = 1e-4;
const step = Math.log(1.0025);

export const binCount = Math.ceil(Math.log(1e3 / smallest) / step) + 1;

/** The bin of a time in milliseconds. */
export function binOf(milliseconds: number): number {
  return Math.min(binCount - 1, Math.max(0, Math.floor(Math.log(milliseconds / smallest) / step)));
}

/** Milliseconds of which so many (0.5: half) of all counted times are at most. */
export function percentile(counts: Float64Array, part: number): number {
  const wanted = part * counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (let bin = 0; bin < counts.length; bin += 1) {
    seen += counts[bin] ?? 0;
    if (seen >= wanted) return smallest * Math.exp((bin + 0.5) * step);
  }
  return Number.NaN;
}
