import {
  chmodSync,
  chownSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Scope } from "../../src/base/scope.ts";
import { runCommand } from "../../src/host/command.ts";
import { notKept, type Recipe } from "./recipe.ts";

/** Unpacks packages into `root` and adds what the recipe says: the content of one layer. */
export async function fillRootFolder(
  recipe: Recipe,
  packageFiles: readonly string[],
  root: string,
  scope: Scope,
): Promise<void> {
  mkdirSync(root, { recursive: true, mode: 0o755 });
  chmodSync(root, 0o755);
  for (const file of packageFiles) await runCommand("dpkg-deb", ["--extract", file, root], {}, scope);
  for (const path of notKept) rmSync(join(root, path), { recursive: true, force: true });
  for (const [path, { mode, owner }] of Object.entries(recipe.folders ?? {})) {
    mkdirSync(join(root, path), { recursive: true });
    chmodSync(join(root, path), mode);
    chownSync(join(root, path), owner ?? 0, owner ?? 0);
  }
  for (const [path, content] of Object.entries(recipe.files ?? {})) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    chmodSync(join(root, path), content.startsWith("#!") ? 0o755 : 0o644);
  }
  for (const [path, target] of Object.entries(recipe.links ?? {})) link(target, join(root, path));
  if (recipe.packages.includes("busybox-static")) await linkBusyboxCommands(root, scope);
  if (recipe.packages.includes("ca-certificates")) bundleCertificates(root);
}

async function linkBusyboxCommands(root: string, scope: Scope): Promise<void> {
  const { stdout } = await runCommand(join(root, "bin/busybox"), ["--list-full"], {}, scope);
  for (const path of stdout.split("\n").filter((line) => line !== "" && line !== "bin/busybox")) {
    link("/bin/busybox", join(root, path));
  }
  // Every image has a shell, whatever the build of busybox calls it.
  link("/bin/busybox", join(root, "bin/sh"));
}

/** What the package's installation script would do. */
function bundleCertificates(root: string): void {
  const files = globSync("usr/share/ca-certificates/**/*.crt", { cwd: root }).sort();
  mkdirSync(join(root, "etc/ssl/certs"), { recursive: true });
  const bundle = files.map((file) => readFileSync(join(root, file), "utf8")).join("");
  writeFileSync(join(root, "etc/ssl/certs/ca-certificates.crt"), bundle);
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  symlinkSync(target, path);
}
