import { quietScope } from "../../src/base/scope.ts";
import { holdCgroups } from "../../src/host/cgroup-controllers.ts";

/**
 * For all kernel tests of a run: on a hybrid machine crun works only once the version 2 tree has given its controllers
 * back. Every node does that for itself; the tests of single drivers have no node.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const cgroups = await holdCgroups(quietScope());
  return () => cgroups.release(quietScope());
}
