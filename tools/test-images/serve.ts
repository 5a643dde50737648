import { once } from "node:events";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { quietScope } from "../../src/base/scope.ts";
import { buildTestImages, defaultFolder } from "./build.ts";
import { startRegistry } from "./registry.ts";

/**
 * Serves the test images under their true names until SIGINT or SIGTERM:
 * `node tools/test-images/serve.ts [--port 5000] [--out DIR]`. Prints the registries.conf to use.
 */
const { values } = parseArgs({
  options: { out: { type: "string", default: defaultFolder }, port: { type: "string" } },
});
const print = (line: string) => process.stdout.write(`${line}\n`);
const scope = quietScope();
const storage = await buildTestImages(resolve(values.out), print, scope);
const port = values.port === undefined ? {} : { port: Number(values.port) };
await using registry = await startRegistry({ storage, readOnly: true, ...port }, scope);
print(`registry:        http://${registry.address}`);
print(`registries.conf: ${registry.registriesConf}`);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
