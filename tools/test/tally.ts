import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/** How the tests of one vitest run ended. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * A vitest reporter beside the default one: prints why tests were skipped (`context.skip(reason)`) and leaves
 * the run's {@link Tally} as JSON in the file named by PEAPOD_TALLY. A module that fails as a whole, without a
 * failed test in it, counts as one failure.
 */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tally: Tally = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const reasons: string[] = [];
    for (const module of modules) {
      const failedBefore = tally.failed;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") tally.passed += 1;
        else if (result.state === "failed") tally.failed += 1;
        else {
          tally.skipped += 1;
          const note = result.state === "skipped" ? result.note : undefined;
          reasons.push(`  ${module.relativeModuleId} > ${test.fullName}: ${note ?? "no reason given"}`);
        }
      }
      if (module.state() === "failed" && tally.failed === failedBefore) tally.failed += 1;
    }
    if (reasons.length > 0) console.log(`\nSkipped:\n${reasons.join("\n")}`);
    const file = process.env.PEAPOD_TALLY;
    if (file !== undefined) writeFileSync(file, JSON.stringify(tally));
  }
}
