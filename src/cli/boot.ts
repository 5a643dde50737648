import { join } from "node:path";
import { createChunkLoader } from "./code-cache.ts";
import type * as program from "./run.ts";

// The built program's entry (dist/cli.cjs): loads the chunks in dist/cli with their compiled code.
const loader = createChunkLoader(join(import.meta.dirname, "cli"));
const { run } = loader.load("program.cjs") as typeof program;
void run(process.argv.slice(2)).then((exitCode) => process.exit(exitCode));
