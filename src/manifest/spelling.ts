import { distance } from "fastest-levenshtein";

/**
 * The candidate that `word` is most likely a misspelling of, or undefined when none is near: equal but for case
 * and separators, or at most a third of its letters (and no more than three) typed differently.
 */
export function nearestSpelling(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.min(3, Math.ceil(word.length / 3));
  let best: { candidate: string; edits: number } | undefined;
  for (const candidate of candidates) {
    const edits =
      plain(candidate) === plain(word) ? 0 : distance(candidate.toLowerCase(), word.toLowerCase());
    if (edits <= limit && edits < candidate.length && edits < (best?.edits ?? Infinity))
      best = { candidate, edits };
  }
  return best?.candidate;
}

/** Whether the two differ by case, separators or a single letter only. */
export function isSlip(word: string, candidate: string): boolean {
  return plain(word) === plain(candidate) || distance(word.toLowerCase(), candidate.toLowerCase()) <= 1;
}

/** `, did you mean "x"?` or nothing, to be put after a message. */
export function spellingHint(word: string, candidates: Iterable<string>): string {
  const nearest = nearestSpelling(word, candidates);
  return nearest === undefined ? "" : `, did you mean ${JSON.stringify(nearest)}?`;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_. ]/g, "");
}
