import { enableCompileCache } from "node:module";

/**
 * Compiled code is kept between runs, in a folder that only the caller can write: Node's default is below /tmp,
 * where anybody could plant code for root to run.
 */
function cacheFolder(): string | undefined {
  if (process.getuid?.() === 0) return "/var/cache/peapod/node";
  const { XDG_CACHE_HOME, HOME } = process.env;
  const base = XDG_CACHE_HOME || (HOME && `${HOME}/.cache`);
  return base ? `${base}/peapod/node` : undefined;
}

const folder = cacheFolder();
if (folder !== undefined) enableCompileCache(folder);

// Not a static import: what is loaded before the cache is on is compiled anew each time.
const { run } = await import("./run.ts");
process.exit(await run(process.argv.slice(2)));
