import { defineConfig } from "vitest/config";
import { slower } from "./test/helpers/patience.ts";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/*.test.ts", "tools/**/*.test.ts"],
          // A guard against what never ends, not a measure: a busy machine must not fail a test.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "node",
          include: ["test/node/**/*.test.ts"],
          globalSetup: "test/helpers/cgroups-for-crun.ts",
          expect: { poll: { timeout: 30_000 * slower } },
          testTimeout: 120_000 * slower,
          hookTimeout: 300_000 * slower,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          globalSetup: "test/helpers/cgroups-for-crun.ts",
          expect: { poll: { timeout: 30_000 * slower } },
          testTimeout: 120_000 * slower,
          hookTimeout: 300_000 * slower,
          fileParallelism: false,
        },
      },
    ],
  },
});
