import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Scope } from "../../src/base/scope.ts";
import { runCommand } from "../../src/host/command.ts";
import { notNeeded } from "./recipe.ts";

/**
 * Downloads Debian packages with all they depend on, as if nothing were installed on this machine, and returns
 * the files. `folder` keeps them for the next time.
 */
export async function downloadPackages(
  packages: readonly string[],
  folder: string,
  scope: Scope,
): Promise<readonly string[]> {
  if (packages.length === 0) return [];
  mkdirSync(folder, { recursive: true });
  const status = join(folder, "no-package-is-installed");
  writeFileSync(status, "");
  const options = ["-o", `Dir::State::Status=${status}`, "-o", "APT::Install-Recommends=0"];
  const wanted = await closure(packages, options, scope);
  const missing = wanted.filter(({ file }) => !readdirSync(folder).includes(file));
  if (missing.length > 0) {
    await runCommand(
      "apt-get",
      [...options, "download", ...missing.map(({ name }) => name)],
      { cwd: folder },
      scope,
    );
  }
  return wanted.map(({ file }) => join(folder, file));
}

/** Names and file names of what apt would install. Fetches the package lists if this machine has none. */
async function closure(
  packages: readonly string[],
  options: readonly string[],
  scope: Scope,
): Promise<readonly { name: string; file: string }[]> {
  const args = [...options, "-o", "Debug::NoLocking=1", "--yes", "--print-uris", "install", ...packages];
  let { stdout, exitCode } = await runCommand("apt-get", args, { okCodes: [0, 100] }, scope);
  if (exitCode !== 0) {
    await runCommand("apt-get", ["update"], {}, scope);
    stdout = (await runCommand("apt-get", args, {}, scope)).stdout;
  }
  return [...stdout.matchAll(/^'\S+' (\S+\.deb) /gm)]
    .map(([, file = ""]) => ({ file, name: file.slice(0, file.indexOf("_")) }))
    .filter(({ name }) => !notNeeded.some((pattern) => pattern.test(name)));
}
