import type { Layout } from "../host/layout.ts";
import type { ContainerTable } from "./container-table.ts";
import type { Machine } from "./machine.ts";
import type { InstalledRuntime, OCIRuntimes } from "./oci-runtimes.ts";

/** What every verb on containers works with. Made once by `createRuntime`. */
export interface RuntimeContext {
  readonly layout: Layout;
  readonly runtimes: OCIRuntimes;
  /** Absolute path of conmon. */
  readonly monitor: string;
  readonly machine: Machine;
  readonly bootID: string;
  readonly containers: ContainerTable;
}

/** The runtime that made the container, which alone can do anything more to it. */
export function runtimeOf({ runtimes, containers }: RuntimeContext, id: string): InstalledRuntime {
  return runtimes.named(containers.get(id)?.runtime);
}
