/** `; did you mean "pods"?`, or nothing when no word is near enough to have been meant. */
export async function nearest(word: string, words: readonly string[]): Promise<string> {
  const { closest, distance } = await import("fastest-levenshtein");
  const found = closest(word, words);
  return distance(word, found) > Math.max(2, word.length / 3) ? "" : `; did you mean "${found}"?`;
}
