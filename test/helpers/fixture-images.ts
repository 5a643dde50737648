import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { quietScope } from "../../src/base/scope.ts";
import type { Layer, OCIFolder } from "../../tools/test-images/oci-folder.ts";

/** Adds a layer that holds the given files (content by path; a path that ends in `/` is a folder). */
export async function layerOf(folder: OCIFolder, files: Readonly<Record<string, string>>): Promise<Layer> {
  const root = mkdtempSync(join(tmpdir(), "peapod-layer-"));
  try {
    chmodSync(root, 0o755);
    for (const [path, content] of Object.entries(files)) {
      const full = join(root, path);
      mkdirSync(path.endsWith("/") ? full : dirname(full), { recursive: true });
      if (path.endsWith("/")) continue;
      writeFileSync(full, content);
      chownSync(full, 0, 0);
    }
    return await folder.addLayer(root, quietScope());
  } finally {
    rmSync(root, { recursive: true });
  }
}
