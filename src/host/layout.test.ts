import { basename } from "node:path";
import { expect, test } from "vitest";
import { layoutFor, podLogsDir } from "./layout.ts";

const uid = "72bb1624-cea5-435c-9ad9-b3148a66d838";

test.each([
  ["web", `default_web_${uid}`],
  ["a".repeat(253), `default_${"a".repeat(210)}_${uid}`],
])("folder of the logs of pod %s is a name that a file system takes", (name, folder) => {
  const found = basename(podLogsDir(layoutFor("/s", "/r"), { namespace: "default", name, uid }));
  expect(found).toBe(folder);
  expect(found.length).toBeLessThanOrEqual(255);
});
