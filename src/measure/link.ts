/** One connection of the measured kind, seen from one end. All calls wait; nothing else happens meanwhile. */
export interface Link {
  write(bytes: Buffer): void;
  /** As many bytes as there are, up to the buffer's length; 0 when the other end will write no more. */
  read(bytes: Buffer): number;
  /** The other end's reads will find the end. */
  endWriting(): void;
  close(): void;
}

/** Fills the buffer; false when the other end stopped before. */
export function readAll(link: Link, bytes: Buffer): boolean {
  let count = link.read(bytes);
  // Almost always all comes at once: no view is made for that.
  while (count < bytes.length) {
    const more = count === 0 ? 0 : link.read(bytes.subarray(count));
    if (more === 0) return false;
    count += more;
  }
  return true;
}
