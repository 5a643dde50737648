import { cpus, release } from "node:os";
import type { Kind, OneWay, ProgramCost, RoundTrips } from "../../measure/types.ts";
import type { MeasurePlan, Series } from "./rounds.ts";

/** Of the windows that ran side by side: pod divided by host. */
export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Medians over the rounds of one side. Microseconds. */
export interface LatencyFigures {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

export interface ThroughputFigures {
  readonly bytesPerSecond: number;
  readonly messagesPerSecond: number;
}

interface Beside<T> {
  readonly pod: T;
  readonly host: T;
  readonly ratio: Ratio;
}

/** One row of the result. */
export interface MeasuredKind {
  readonly kind: Kind;
  readonly size: number;
  /** The ratio is that of the medians (p50). */
  readonly roundTrip: Beside<LatencyFigures> & { readonly ratioP99: Ratio };
  readonly oneWay: Beside<ThroughputFigures>;
}

/** What `-o json` prints. */
export interface ChannelMeasurement {
  readonly apiVersion: "peapod.dev/v1alpha1";
  readonly kind: "ChannelMeasurement";
  readonly machine: { readonly cpus: number; readonly model: string; readonly kernel: string };
  readonly rounds: number;
  readonly windowMilliseconds: number;
  /** Nanoseconds of one system call, and of one look at the clock, in the measuring program. */
  readonly program: { readonly pod: ProgramCost; readonly host: ProgramCost };
  readonly results: readonly MeasuredKind[];
}

/** Sums up all windows. */
export function summarizeMeasurement(
  plan: MeasurePlan,
  program: ChannelMeasurement["program"],
  series: readonly Series[],
): ChannelMeasurement {
  const processors = cpus();
  return {
    apiVersion: "peapod.dev/v1alpha1",
    kind: "ChannelMeasurement",
    machine: {
      cpus: processors.length,
      model: processors[0]?.model ?? "unknown",
      kernel: release(),
    },
    rounds: plan.rounds,
    windowMilliseconds: plan.windowMilliseconds,
    program,
    results: series.map(({ kind, size, roundTrips, oneWay }) => ({
      kind,
      size,
      roundTrip: {
        pod: latency(roundTrips.pod),
        host: latency(roundTrips.host),
        ratio: ratioOf(roundTrips.pod, roundTrips.host, ({ p50 }) => p50),
        ratioP99: ratioOf(roundTrips.pod, roundTrips.host, ({ p99 }) => p99),
      },
      oneWay: {
        pod: throughput(oneWay.pod, size),
        host: throughput(oneWay.host, size),
        ratio: ratioOf(oneWay.pod, oneWay.host, speed),
      },
    })),
  };
}

function latency(windows: readonly RoundTrips[]): LatencyFigures {
  const of = (figure: keyof LatencyFigures) => median(windows.map((window) => window[figure]));
  return { p50: of("p50"), p90: of("p90"), p99: of("p99") };
}

function throughput(windows: readonly OneWay[], size: number): ThroughputFigures {
  const bytesPerSecond = median(windows.map(speed));
  return { bytesPerSecond, messagesPerSecond: bytesPerSecond / size };
}

function speed({ bytes, seconds }: OneWay): number {
  return bytes / seconds;
}

function ratioOf<T>(pod: readonly T[], host: readonly T[], figure: (window: T) => number): Ratio {
  const ratios = pod.flatMap((window, round) => {
    const beside = host[round];
    return beside === undefined ? [] : [figure(window) / figure(beside)];
  });
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
