import type { Scope } from "../base/scope.ts";

/** An image that is on this machine. */
export interface LibraryImage {
  readonly id: string;
  readonly names: readonly string[];
  readonly digests: readonly string[];
  /** Bytes on disk. */
  readonly size: number;
}

/** What the API server needs of the node's images. */
export interface ImageLibrary {
  list(scope: Scope): Promise<readonly LibraryImage[]>;
  /** Loads an archive or layout folder of this machine: `docker-archive:FILE`, `oci:FOLDER`, a plain file … */
  load(source: string, scope: Scope): Promise<LibraryImage>;
  /** Pulls by a name as a manifest has it, asking the registry even when the image is there. */
  pull(name: string, scope: Scope): Promise<LibraryImage>;
  /** By name, digest or id. NotFound if absent. */
  remove(reference: string, scope: Scope): Promise<void>;
}
