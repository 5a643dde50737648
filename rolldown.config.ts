import { defineConfig } from "rolldown";

// The CLI must start fast, so it shares nothing with the daemon: an entry that loads CommonJS chunks with their
// compiled code (src/cli/code-cache.ts), which tools/build-code-cache.ts takes from a run. The entry comes last:
// where it is missing after a failed build, bin/peapod runs the sources.
export default defineConfig([
  {
    input: { daemon: "src/daemon/main.ts" },
    platform: "node",
    external: ["koffi", "@lydell/node-pty", "fastify", "pino"],
    output: { dir: "dist", format: "esm", chunkFileNames: "daemon-[name].js" },
  },
  {
    input: { measure: "src/measure/main.ts" },
    platform: "node",
    external: ["koffi"],
    output: { dir: "dist", format: "esm", chunkFileNames: "measure-[name].js" },
  },
  {
    input: { program: "src/cli/run.ts" },
    platform: "node",
    output: { dir: "dist/cli", format: "cjs", entryFileNames: "[name].cjs", chunkFileNames: "[name].cjs" },
  },
  {
    input: { cli: "src/cli/boot.ts" },
    platform: "node",
    output: { dir: "dist", format: "cjs", entryFileNames: "[name].cjs" },
  },
]);
