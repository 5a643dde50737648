import { PeapodError } from "../base/errors.ts";
import type { StoredContainer } from "./container-table.ts";
import type { RuntimeContext } from "./context.ts";

/** The container, or NotFound. */
export function requireContainer(context: RuntimeContext, id: string): StoredContainer {
  const stored = context.containers.get(id);
  if (stored === undefined) throw new PeapodError("NotFound", `container ${id} does not exist`);
  return stored;
}
