import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ratios, type Summary, summarize } from "./measure/statistics.ts";
import type { Series } from "./types.ts";

const ours = "peapod";

/** What the values were measured on and with; goes into the JSON beside them. */
export type Surroundings = Readonly<Record<string, string | number>>;

/** One text table: a row per thing measured, a column per side, and how the others compare to Peapod's CLI. */
export function formatTable(series: readonly Series[]): string {
  const rows = [["", "side", "median", "min..max", "n", "beside peapod"]];
  for (const what of new Set(series.map((one) => one.what))) {
    const group = series.filter((one) => one.what === what);
    const base = group.find((one) => one.side === ours);
    for (const [index, one] of group.entries()) {
      const { median, min, max, count } = summarize(one.values);
      const cells = [number(median), one.unit].join(" ");
      const spread = count > 1 ? `${number(min)}..${number(max)}` : "";
      rows.push([index === 0 ? what : "", one.side, cells, spread, String(count), compare(one, base)]);
    }
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row.map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      ),
    )
    .map((row) => row.join("  ").trimEnd())
    .join("\n");
}

/** The two comparisons that matter most, in words. */
export function formatSummary(series: readonly Series[]): string {
  const what = "start, 2 containers: until all processes run";
  const of = (side: string) => series.find((one) => one.what === what && one.side === side)?.values ?? [];
  const times = (a: string, b: string) => {
    const all = ratios(of(a), of(b));
    if (all.length === 0) return "(not measured)";
    const { median, min, max } = summarize(all);
    return `${number(median)} times (${number(min)}..${number(max)})`;
  };
  return [
    "From the start until the processes of both containers run:",
    `  whole commands: podman kube play takes ${times("podman", ours)} as long as peapod up`,
    `  inside the daemon: one request takes ${times("peapod API", "floor")} as long as bare crun`,
  ].join("\n");
}

function compare(one: Series, base: Series | undefined): string {
  if (base === undefined || one === base) return "";
  const all = ratios(one.values, base.values);
  if (all.length === 0) return "";
  const { median, min, max, count } = summarize(all);
  return `x ${number(median)}${count > 1 ? ` (${number(min)}..${number(max)})` : ""}`;
}

function number(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

/** Writes values, medians and ratios to DIR/TIME.json and DIR/latest.json; returns the first one's path. */
export function writeJson(dir: string, series: readonly Series[], surroundings: Surroundings): string {
  mkdirSync(dir, { recursive: true });
  const results = series.map((one) => {
    const base = series.find(({ what, side }) => what === one.what && side === ours);
    const relative = base === undefined || base === one ? [] : ratios(one.values, base.values);
    const ratio: Summary | undefined = relative.length === 0 ? undefined : summarize(relative);
    return { ...one, ...summarize(one.values), ...(ratio === undefined ? {} : { besidePeapod: ratio }) };
  });
  const text = `${JSON.stringify({ surroundings, results }, undefined, 2)}\n`;
  const file = join(dir, `${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}.json`);
  for (const path of [file, join(dir, "latest.json")]) writeFileSync(path, text);
  return file;
}
