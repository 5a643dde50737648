import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { layoutFor } from "../host/layout.ts";
import type { StoredContainer } from "./container-table.ts";
import { readTerminationMessage, terminationMessageFile } from "./termination-message.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "peapod-message-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const logLine = (text: string, tag = "F") => `2026-01-02T03:04:05.000000000+00:00 stdout ${tag} ${text}\n`;

function message(
  parts: { file?: string; log?: string; policy?: StoredContainer["terminationMessagePolicy"] },
  exitCode = 1,
): string | undefined {
  const layout = layoutFor(join(folder, "state"), join(folder, "run"));
  const logPath = join(folder, "0.log");
  const path = terminationMessageFile(layout, "id");
  mkdirSync(dirname(path), { recursive: true });
  if (parts.file !== undefined) writeFileSync(path, parts.file);
  rmSync(logPath, { force: true });
  if (parts.log !== undefined) writeFileSync(logPath, parts.log);
  const stored = { record: { id: "id", logPath }, terminationMessagePolicy: parts.policy ?? "File" };
  return readTerminationMessage(layout, stored as StoredContainer, exitCode);
}

test("the file's text, of a long one its end", () => {
  expect(message({ file: "done" }, 0)).toBe("done");
  expect(message({ file: `x${"y".repeat(4096)}` })).toBe("y".repeat(4096));
  expect(message({ file: "" })).toBeUndefined();
  expect(message({})).toBeUndefined();
});

const policy = "FallbackToLogsOnError";

test("the log's end only after a failure without a message, and only where that is asked for", () => {
  const log = logLine("one") + logLine("tw", "P") + logLine("o");
  expect(message({ file: "", log, policy })).toBe("one\ntwo\n");
  expect(message({ file: "said", log, policy })).toBe("said");
  expect(message({ file: "", log, policy }, 0)).toBeUndefined();
  expect(message({ file: "", log })).toBeUndefined();
  expect(message({ file: "", policy })).toBeUndefined();
});

test("of a long log at most 80 lines and 2048 bytes", () => {
  const short = Array.from({ length: 100 }, (_, index) => logLine(`line ${index}`)).join("");
  expect(message({ log: short, policy })?.split("\n")[0]).toBe("line 20");
  const long = Array.from({ length: 100 }, () => logLine("z".repeat(99))).join("");
  expect(message({ log: long, policy })).toHaveLength(2048);
});
