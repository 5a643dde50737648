import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package, which has its `package.json`. */
export function packageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  // In a checkout this file is src/cli/node, built dist/cli.
  const root = [join(here, "..", ".."), join(here, "..", "..", "..")].find((folder) =>
    existsSync(join(folder, "package.json")),
  );
  return root ?? here;
}

/** Another program of this package: the built one, or in a checkout its source, when that is newer. */
export function programFile(name: "daemon" | "measure"): string {
  const root = packageRoot();
  const built = join(root, "dist", `${name}.js`);
  const source = join(root, "src");
  const main = join(source, name, "main.ts");
  if (!existsSync(main)) return built;
  return existsSync(built) && !hasNewerFile(source, statSync(built).mtimeMs) ? built : main;
}

function hasNewerFile(folder: string, time: number): boolean {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).some(
    (file) =>
      file.endsWith(".ts") && !file.endsWith(".test.ts") && statSync(join(folder, file)).mtimeMs > time,
  );
}
