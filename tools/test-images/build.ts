import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { quietScope, type Scope } from "../../src/base/scope.ts";
import { downloadPackages } from "./debian-packages.ts";
import { type Layer, OCIFolder } from "./oci-folder.ts";
import { push } from "./push.ts";
import type { Recipe } from "./recipe.ts";
import { alpine, recipes } from "./recipes.ts";
import { startRegistry } from "./registry.ts";
import { fillRootFolder } from "./root-folder.ts";

const here = import.meta.dirname;

/** Where the built images are kept between runs. */
export const defaultFolder = join(here, "../../.cache/test-images");

/**
 * Builds the stand-ins unless this version of the recipes was built in `folder` before, and returns the storage
 * folder of a registry that holds them. Needs root (file owners), apt, skopeo and docker-registry.
 */
export async function buildTestImages(
  folder: string,
  report: (line: string) => void,
  scope: Scope,
): Promise<string> {
  const finished = join(folder, `registry-${recipeHash()}`);
  if (existsSync(finished)) return finished;
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, "build-"));
  try {
    const storage = join(work, "registry");
    mkdirSync(storage);
    const oci = new OCIFolder(join(work, "oci"));
    await using registry = await startRegistry({ storage, readOnly: false }, scope);
    let base: Layer | undefined;
    for (const recipe of recipes) {
      const start = performance.now();
      const layer = await buildLayer(recipe, folder, work, oci, scope);
      if (recipe === alpine) base = layer;
      const layers = [base, recipe === alpine ? undefined : layer].filter((item) => item !== undefined);
      oci.addImage(layers, recipe.config, [recipe.names[0] ?? ""]);
      for (const name of recipe.names)
        await push(oci.path, recipe.names[0] ?? "", registry.address, name, scope);
      const megabytes = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0) / 1e6;
      report(
        `${recipe.names[0]}: ${megabytes.toFixed(1)} MB in ${((performance.now() - start) / 1000).toFixed(1)} s`,
      );
    }
    await registry.close();
    removeEarlier(folder, finished);
    // Another test run may have built the same meanwhile.
    if (!existsSync(finished)) renameSync(storage, finished);
    return finished;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function buildLayer(
  recipe: Recipe,
  folder: string,
  work: string,
  oci: OCIFolder,
  scope: Scope,
): Promise<Layer | undefined> {
  if (recipe.packages.length === 0) return undefined;
  const root = mkdtempSync(join(work, "root-"));
  const files = await downloadPackages(recipe.packages, join(folder, "packages"), scope);
  await fillRootFolder(recipe, files, root, scope);
  const layer = await oci.addLayer(root, scope);
  rmSync(root, { recursive: true });
  return layer;
}

/** Of everything that decides what is built. */
function recipeHash(): string {
  const hash = createHash("sha256");
  for (const file of globSync("*.ts", { cwd: here }).sort()) hash.update(readFileSync(join(here, file)));
  return hash.digest("hex").slice(0, 16);
}

function removeEarlier(folder: string, finished: string): void {
  for (const name of globSync("registry-*", { cwd: folder })) {
    if (join(folder, name) !== finished) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: "string", default: defaultFolder } } });
  const print = (line: string) => process.stdout.write(`${line}\n`);
  print(await buildTestImages(resolve(values.out), print, quietScope()));
}
