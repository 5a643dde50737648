import { formatColumns } from "../printers/columns.ts";
import type { ChannelMeasurement, LatencyFigures } from "./measurement.ts";
import { byteSize } from "./sizes.ts";

/** The measurement as two tables for a person, with what they can't tell below. */
export function measurementTable({ machine, results, program, rounds }: ChannelMeasurement): string {
  const latencies = results.map(({ kind, size, roundTrip: { pod, host, ratio } }) => [
    kind,
    byteSize(size),
    ...latencyCells(pod),
    ...latencyCells(host),
    factor(ratio.median),
    `${factor(ratio.min)}..${factor(ratio.max)}`,
  ]);
  const throughputs = results.map(({ kind, size, oneWay: { pod, host, ratio } }) => [
    kind,
    byteSize(size),
    rate(pod.bytesPerSecond),
    figures(pod.messagesPerSecond),
    rate(host.bytesPerSecond),
    factor(ratio.median),
    `${factor(ratio.min)}..${factor(ratio.max)}`,
  ]);
  const sides = ["POD P50", "P90", "P99", "HOST P50", "P90", "P99"];
  const { systemCall, clock } = program.pod;
  return [
    "Round trip, microseconds: a message there and back\n",
    formatColumns([["KIND", "SIZE", ...sides, "POD/HOST", "RANGE"], ...latencies]),
    "\nOne way, until all has been received\n",
    formatColumns([["KIND", "SIZE", "POD", "MESSAGES/S", "HOST", "POD/HOST", "RANGE"], ...throughputs]),
    `\n${machine.cpus} CPUs (${machine.model}), Linux ${machine.kernel}. Medians of ${rounds} rounds; POD/HOST is the median of the ratios of\n` +
      `windows that ran side by side, RANGE its spread. The measuring program itself needs ${systemCall.toFixed(0)} ns for a system\n` +
      `call (four to a round trip) and ${clock.toFixed(0)} ns to look at the clock, in the pod; on the host ${program.host.systemCall.toFixed(0)} and ${program.host.clock.toFixed(0)}.\n`,
  ].join("");
}

function latencyCells({ p50, p90, p99 }: LatencyFigures): string[] {
  return [p50, p90, p99].map((value) => (value < 10 ? value.toFixed(2) : value.toFixed(1)));
}

function factor(value: number): string {
  return `x${value.toFixed(2)}`;
}

function rate(bytesPerSecond: number): string {
  return bytesPerSecond >= 1e9
    ? `${(bytesPerSecond / 1e9).toFixed(2)} GB/s`
    : `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
}

function figures(value: number): string {
  return value >= 1e5 ? `${(value / 1e3).toFixed(0)}k` : value.toFixed(0);
}
