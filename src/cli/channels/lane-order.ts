import { outside, type PodMap } from "./channel-map.ts";

/** All orders of so many boxes are tried; more than that keep the pod's order. */
const mostTried = 7;

/** The boxes from left to right, such that arrows are short: those who talk stand side by side. Outside is first. */
export function laneOrder({ containers, arrows, hasOutside }: PodMap): string[] {
  const first = hasOutside ? [outside] : [];
  if (containers.length > mostTried || containers.length < 3) return [...first, ...containers];
  let best: readonly string[] = containers;
  let least = Number.POSITIVE_INFINITY;
  for (const order of permutations(containers)) {
    const places = new Map([...first, ...order].map((name, index) => [name, index]));
    const length = arrows.reduce((sum, { from, to }) => {
      const distance = to === undefined ? 0 : (places.get(to) ?? 0) - (places.get(from) ?? 0);
      // Of equally short orders, the one in which more arrows point to the right.
      return sum + Math.abs(distance) + (distance < 0 ? 0.1 : 0);
    }, 0);
    if (length >= least) continue;
    least = length;
    best = order;
  }
  return [...first, ...best];
}

function* permutations<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length < 2) yield items;
  for (const [index, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest];
  }
}
