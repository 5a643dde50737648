import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Binds a Unix socket at `path`, mode 0600, without a moment in which it could be reached otherwise: `listen` binds
 * it in a folder that only the owner can enter, then it is moved into place, over any that an earlier daemon left.
 * Returns how to remove it; that leaves one alone that somebody else has put there since.
 */
export async function bindPrivately(
  path: string,
  listen: (path: string) => Promise<unknown>,
): Promise<() => void> {
  const folder = mkdtempSync(`${path}.`);
  try {
    // One letter, because a socket's path has at most 107 bytes: unix(7).
    const hidden = join(folder, "s");
    await listen(hidden);
    chmodSync(hidden, 0o600);
    const { ino, dev } = lstatSync(hidden);
    renameSync(hidden, path);
    return () => {
      const present = lstatSync(path, { throwIfNoEntry: false });
      if (present?.ino === ino && present.dev === dev) rmSync(path, { force: true });
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
