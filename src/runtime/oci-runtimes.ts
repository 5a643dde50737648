import { basename } from "node:path";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { Layout } from "../host/layout.ts";
import { findProgram, findRuntime, type OCIRuntime } from "./oci-runtime.ts";
import { SeccompFilters } from "./seccomp-filters.ts";

/** Runtimes that a RuntimeClass may name as its handler, where they are installed; and the one the node was told. */
const knownHandlers = ["crun", "runc"];

/** An OCI runtime of the node with the seccomp filters that it takes. */
export interface InstalledRuntime extends OCIRuntime {
  readonly seccomp: SeccompFilters;
}

/**
 * The program behind a RuntimeClass' handler: crun, runc or the name of the program that the node was told to use
 * (`choice`); undefined for any other and where it is not installed.
 */
export function handlerProgram(handler: string, choice: string | undefined): string | undefined {
  if (choice !== undefined && basename(choice) === handler) return findProgram(choice);
  return knownHandlers.includes(handler) ? findProgram(handler) : undefined;
}

/** The program for pods without a RuntimeClass: `choice`, else crun, else runc. */
export function defaultProgram(choice: string | undefined): string {
  return choice ?? knownHandlers.find((name) => findProgram(name) !== undefined) ?? "crun";
}

/** The OCI runtimes that pods of this node may have; all found when the node starts. */
export class OCIRuntimes {
  readonly default: InstalledRuntime;
  readonly #byHandler: ReadonlyMap<string, InstalledRuntime>;

  constructor(preferred: InstalledRuntime, byHandler: ReadonlyMap<string, InstalledRuntime>) {
    this.default = preferred;
    this.#byHandler = byHandler;
  }

  /** Names that a RuntimeClass can give. */
  handlers(): readonly string[] {
    return [...this.#byHandler.keys()];
  }

  /** The runtime of a RuntimeClass' handler; without one the default. Throws FailedCreatePodSandBox. */
  forHandler(handler: string | undefined): InstalledRuntime {
    const runtime = handler === undefined ? this.default : this.#byHandler.get(handler);
    if (runtime === undefined) throw unknownHandler(handler ?? "");
    return runtime;
  }

  /** The runtime of that name (as it calls itself), which made a container once; the default when it is gone. */
  named(name: string | undefined): InstalledRuntime {
    return [...this.#byHandler.values()].find((runtime) => runtime.name === name) ?? this.default;
  }
}

/** As the container runtime interface's servers say it. */
export function unknownHandler(handler: string): PeapodError {
  return new PeapodError("FailedCreatePodSandBox", `no runtime for "${handler}" is configured`);
}

/** Finds the default runtime, as {@link findRuntime} does, and every other one that a handler may name. */
export async function findRuntimes(
  choice: string | undefined,
  layout: Layout,
  architecture: string,
  scope: Scope,
): Promise<OCIRuntimes> {
  const install = (runtime: OCIRuntime): InstalledRuntime => ({
    ...runtime,
    seccomp: new SeccompFilters(layout, runtime, architecture),
  });
  const preferred = install(await findRuntime(choice, layout, scope));
  const byHandler = new Map([[preferred.name, preferred]]);
  if (choice !== undefined) byHandler.set(basename(choice), preferred);
  const others = knownHandlers.filter((name) => !byHandler.has(name) && findProgram(name) !== undefined);
  // One that is installed but does not run is as good as not there.
  const found = await Promise.allSettled(others.map((name) => findRuntime(name, layout, scope)));
  for (const [index, result] of found.entries()) {
    if (result.status === "fulfilled") byHandler.set(others[index] ?? "", install(result.value));
  }
  return new OCIRuntimes(preferred, byHandler);
}
