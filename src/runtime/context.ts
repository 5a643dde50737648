import type { Layout } from "../host/layout.ts";
import type { ContainerTable } from "./container-table.ts";
import type { Machine } from "./machine.ts";
import type { OCIRuntime } from "./oci-runtime.ts";
import type { SeccompFilters } from "./seccomp-filters.ts";

/** What every verb on containers works with. Made once by `createRuntime`. */
export interface RuntimeContext {
  readonly layout: Layout;
  readonly runtime: OCIRuntime;
  /** Absolute path of conmon. */
  readonly monitor: string;
  readonly machine: Machine;
  readonly bootID: string;
  readonly containers: ContainerTable;
  readonly seccomp: SeccompFilters;
}
