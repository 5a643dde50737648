import { expect, test } from "vitest";
import { runtimeMessage } from "./monitor.ts";

test.each([
  [
    "2026-11-23T12:42:00.000000Z: executable file `/no` not found: No such file or directory\n",
    "executable file `/no` not found: No such file or directory",
  ],
  ['{"msg":"cannot find \\"x\\"","level":"error","time":"2026-11-23T12:42:00Z"}\n', 'cannot find "x"'],
  [
    'time="2026-11-23T12:42:00Z" level=warning msg="unimportant"\ntime="2026-11-23T12:42:00Z" level=error msg="runc create failed: exec: no such file"\n',
    "runc create failed: exec: no such file",
  ],
  ["", "no reason given"],
])("%j", (output, expected) => {
  expect(runtimeMessage(output)).toBe(expected);
});
