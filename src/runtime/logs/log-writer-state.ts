import type { ContainerTable } from "../container-table.ts";
import type { LogWriterState } from "./read-log.ts";

/** What a reader of a container's log must know of the container. */
export function logWriterState(containers: ContainerTable, id: string): LogWriterState {
  return {
    isOver: () => (containers.get(id)?.record.phase ?? "Exited") === "Exited",
    onChange: (listener) => containers.onChange((changed) => changed === id && listener()),
  };
}
