import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemErrorCode } from "../../src/base/errors.ts";
import { slower } from "../../test/helpers/patience.ts";
import type { Tally } from "./tally.ts";

// `make test`: the code checks, then each ring of tests, cheapest first. All of them run even if one fails, so
// that one run tells everything. The last line is the sum, in the form that CI reads.

const root = join(import.meta.dirname, "../..");
const rings = ["unit", "node", "conformance"];
const work = mkdtempSync(join(tmpdir(), "peapod-test-"));

/** What a ring gets at most: one that hangs (vitest waits for whatever holds its workers' output) must not cost the others. */
const ringMilliseconds = 30 * 60_000 * slower;

function run(file: string, args: string[], env: NodeJS.ProcessEnv = {}): boolean {
  const result = spawnSync(file, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
    timeout: ringMilliseconds,
    killSignal: "SIGKILL",
  });
  if (systemErrorCode(result.error) === "ETIMEDOUT") {
    console.log(`\n${args.join(" ")}: not over after ${ringMilliseconds / 60_000} minutes, killed`);
  }
  return result.status === 0;
}

/** Runs one vitest project; a run that left no tally died before its end and counts as one failure. */
function runRing(ring: string): Tally & { ok: boolean } {
  const file = join(work, `${ring}.json`);
  const ok = run(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      `--project=${ring}`,
      "--passWithNoTests",
      "--reporter=default",
      "--reporter=./tools/test/tally.ts",
    ],
    { PEAPOD_TALLY: file },
  );
  try {
    return { ...(JSON.parse(readFileSync(file, "utf8")) as Tally), ok };
  } catch {
    return { passed: 0, failed: 1, skipped: 0, ok: false };
  }
}

const started = Date.now();
const checked = run("npm", ["run", "--silent", "check"]);
const sum: Tally = { passed: 0, failed: 0, skipped: 0 };
let tested = true;
for (const ring of rings) {
  console.log(`\n== ${ring} tests`);
  const { ok, ...tally } = runRing(ring);
  tested &&= ok;
  sum.passed += tally.passed;
  sum.failed += tally.failed;
  sum.skipped += tally.skipped;
}
rmSync(work, { recursive: true, force: true });

if (!checked) console.log("\nThe code checks (npm run check) failed: see the top of this output.");
console.log(`\n${Math.round((Date.now() - started) / 1000)} s in all`);
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""}`);
process.exitCode = checked && tested && sum.failed === 0 && sum.passed > 0 ? 0 : 1;
