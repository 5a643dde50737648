import { expect, test } from "vitest";
import { matchesSelector } from "./match-selector.ts";
import type { LabelSelector } from "./types.ts";

const labels = { app: "web", tier: "front" };

test.each<[string, LabelSelector | undefined, boolean]>([
  ["an absent one selects nothing", undefined, false],
  ["an empty one selects everything", {}, true],
  ["all labels are there", { matchLabels: { app: "web", tier: "front" } }, true],
  ["one label is another", { matchLabels: { app: "web", tier: "back" } }, false],
  ["In", { matchExpressions: [{ key: "app", operator: "In", values: ["api", "web"] }] }, true],
  ["In, but the label is missing", { matchExpressions: [{ key: "x", operator: "In", values: [""] }] }, false],
  ["NotIn", { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] }, false],
  [
    "NotIn, and the label is missing",
    { matchExpressions: [{ key: "x", operator: "NotIn", values: ["a"] }] },
    true,
  ],
  ["Exists", { matchExpressions: [{ key: "x", operator: "Exists" }] }, false],
  ["DoesNotExist", { matchExpressions: [{ key: "x", operator: "DoesNotExist" }] }, true],
  [
    "all terms hold",
    { matchLabels: { app: "web" }, matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] },
    false,
  ],
])("%s", (_, selector, selected) => {
  expect(matchesSelector(selector, labels)).toBe(selected);
});
