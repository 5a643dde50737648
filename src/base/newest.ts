/**
 * Sets a key of a map that keeps at most `limit` of them: this one becomes the newest, and the one that was set the
 * longest ago goes when there are more. (A whole cache library would be one dependency more for these four lines.)
 */
export function setNewest<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, limit: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > limit && oldest !== undefined) map.delete(oldest);
}
