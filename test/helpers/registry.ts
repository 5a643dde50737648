import { quietScope } from "../../src/base/scope.ts";
import { buildTestImages, defaultFolder } from "../../tools/test-images/build.ts";
import { startRegistry } from "../../tools/test-images/registry.ts";

/** A registry of the test images; close it when the tests are done. */
export interface TestRegistry {
  /** A registries.conf(5) that sends docker.io to the registry and never asks docker.io itself. */
  readonly registriesConf: string;
  /** `127.0.0.1:PORT` */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * A real registry on a free port of 127.0.0.1 with the test images under their true names (docker.io/library/alpine,
 * node:18-alpine …), built first if need be. `registriesConf` sends docker.io there.
 */
export async function startTestRegistry(): Promise<TestRegistry> {
  const scope = quietScope();
  const storage = await buildTestImages(defaultFolder, () => {}, scope);
  return startRegistry({ storage, readOnly: true }, scope);
}
