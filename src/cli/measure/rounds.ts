import type { ClientAnswer, Kind, OneWay, RoundTrips, Window } from "../../measure/types.ts";
import { measureWindow, type Pair } from "./pair.ts";

/** What to measure, and for how long. */
export interface MeasurePlan {
  readonly kinds: readonly Kind[];
  /** Bytes of a message. */
  readonly sizes: readonly number[];
  /** Windows of each thing on each side. */
  readonly rounds: number;
  readonly windowMilliseconds: number;
}

/** Windows of one kind and size, in the order of the rounds: those of the same place ran one after the other. */
export interface Series {
  readonly kind: Kind;
  readonly size: number;
  readonly roundTrips: { readonly pod: RoundTrips[]; readonly host: RoundTrips[] };
  readonly oneWay: { readonly pod: OneWay[]; readonly host: OneWay[] };
}

const warmUpMilliseconds = 20;

/** How long all windows take, without what is between them. */
export function plannedSeconds({ kinds, sizes, rounds, windowMilliseconds }: MeasurePlan): number {
  return (kinds.length * sizes.length * 4 * (rounds * windowMilliseconds + warmUpMilliseconds)) / 1e3;
}

/**
 * Measures everything on both sides. A machine's mood changes within seconds, so the pod's window and the host's are
 * side by side, and every other round the other one is first. One short round before counts for nothing.
 */
export async function runRounds(
  plan: MeasurePlan,
  sides: { readonly pod: Pair; readonly host: Pair },
  onProgress: (done: number, total: number, series: Series) => void,
): Promise<readonly Series[]> {
  const all: Series[] = plan.kinds.flatMap((kind) =>
    plan.sizes.map((size) => ({
      kind,
      size,
      roundTrips: { pod: [], host: [] },
      oneWay: { pod: [], host: [] },
    })),
  );
  let done = 0;
  for (let round = -1; round < plan.rounds; round += 1) {
    const milliseconds = round < 0 ? warmUpMilliseconds : plan.windowMilliseconds;
    const order = round % 2 === 0 ? (["pod", "host"] as const) : (["host", "pod"] as const);
    for (const series of all) {
      const { kind, size } = series;
      onProgress(done, all.length * (plan.rounds + 1), series);
      for (const what of ["round-trip", "one-way"] as const) {
        const window: Window = { kind, size, what, milliseconds };
        for (const side of order) {
          const answer = await measureWindow(sides[side], window);
          if (round >= 0) keep(series, side, answer);
        }
      }
      done += 1;
    }
  }
  return all;
}

function keep(series: Series, side: "pod" | "host", answer: ClientAnswer): void {
  if ("bytes" in answer) series.oneWay[side].push(answer);
  else series.roundTrips[side].push(answer);
}
