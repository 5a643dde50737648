import { pathSteps } from "../kube/field-path.ts";
import type { Problem } from "./problems.ts";

/**
 * The problems in the order in which their fields stand in `value`; what is missing from an object comes after
 * what is there, and equal places keep their order.
 */
export function inDocumentOrder(value: unknown, problems: readonly Problem[]): Problem[] {
  const ranked = problems.map((problem) => ({
    problem,
    ranks: ranksOf(value, problem.place ?? problem.field),
  }));
  return ranked.sort((a, b) => compareRanks(a.ranks, b.ranks)).map(({ problem }) => problem);
}

/** For each step of the path, how manyth it is in its object or list. */
function ranksOf(value: unknown, path: string): number[] {
  const ranks: number[] = [];
  let current = value;
  for (const step of pathSteps(path)) {
    const keys = typeof current === "object" && current !== null ? Object.keys(current) : [];
    const rank = keys.indexOf(String(step));
    ranks.push(rank === -1 ? Number.MAX_SAFE_INTEGER : rank);
    current = rank === -1 ? undefined : (current as Record<string, unknown>)[String(step)];
  }
  return ranks;
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
