import { defineConfig } from "rolldown";

// Two programs: the CLI must start fast, so it shares no chunk that pulls in the daemon's libraries.
export default defineConfig([
  {
    input: { cli: "src/cli/main.ts" },
    platform: "node",
    output: { dir: "dist", format: "esm", chunkFileNames: "cli-[name].js" },
  },
  {
    input: { daemon: "src/daemon/main.ts" },
    platform: "node",
    external: ["koffi", "@lydell/node-pty", "fastify", "pino"],
    output: { dir: "dist", format: "esm", chunkFileNames: "daemon-[name].js" },
  },
]);
