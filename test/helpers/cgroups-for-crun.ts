import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quietScope } from "../../src/base/scope.ts";
import { prepareCgroups, releaseCgroups } from "../../src/host/cgroup-controllers.ts";
import { layoutFor } from "../../src/host/layout.ts";

/**
 * For all kernel tests of a run: on a hybrid machine crun works only once the version 2 tree has given its controllers
 * back. Every node does that for itself; the tests of single drivers have no node.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "peapod-cgroups-"));
  const layout = layoutFor(join(folder, "state"), join(folder, "run"));
  await prepareCgroups(layout, quietScope());
  return async () => {
    await releaseCgroups(layout, quietScope());
    rmSync(folder, { recursive: true, force: true });
  };
}
