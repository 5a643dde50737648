import { expect, test } from "vitest";
import { apiTimestamp, parseLogLine, timestampMilliseconds } from "./cri-line.ts";

const time = "2026-11-23T12:42:00.123456789+00:00";

test.each([
  [`${time} stdout F hello world`, { stream: "stdout", isPartial: false, content: "hello world" }],
  [`${time} stderr P part`, { stream: "stderr", isPartial: true, content: "part" }],
  [`${time} stdout F:later:tags x`, { stream: "stdout", isPartial: false, content: "x" }],
  [`${time} stdout F `, { stream: "stdout", isPartial: false, content: "" }],
  [`${time} stdout F`, { stream: "stdout", isPartial: false, content: "" }],
  [`${time} stdout X text`, undefined],
  [`${time} stdin F text`, undefined],
  ["torn line", undefined],
  ["", undefined],
])("%j", (line, expected) => {
  const parsed = parseLogLine(Buffer.from(line));
  expect(
    parsed && { stream: parsed.stream, isPartial: parsed.isPartial, content: parsed.content.toString() },
  ).toEqual(expected);
});

test("times", () => {
  expect(timestampMilliseconds(time)).toBe(Date.UTC(2026, 10, 23, 12, 42, 0, 123));
  expect(timestampMilliseconds("2026-11-23T13:42:00.1+01:00")).toBe(Date.UTC(2026, 10, 23, 12, 42, 0, 100));
  expect(apiTimestamp(time)).toBe("2026-11-23T12:42:00.123456789Z");
  expect(apiTimestamp("2026-11-23T12:42:00.1+01:00")).toBe("2026-11-23T12:42:00.1+01:00");
});
