import { run } from "./run.ts";

// The entry of a checkout that is not built; boot.ts is the built program's.
process.exit(await run(process.argv.slice(2)));
