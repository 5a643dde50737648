import { expect, test } from "vitest";
import type { ManifestedObject } from "../manifests.ts";
import { withImageFallback } from "./image-fallback.ts";

const annotated = { metadata: { annotations: { "peapod.dev/image-fallback": "host" } } };

test.each([
  ["a pod", { kind: "Pod", spec: {} }, { kind: "Pod", spec: {}, ...annotated }],
  [
    "a template, with its labels",
    { kind: "Job", spec: { template: { metadata: { labels: { a: "b" } }, spec: {} } } },
    {
      kind: "Job",
      spec: { template: { metadata: { labels: { a: "b" }, ...annotated.metadata }, spec: {} } },
    },
  ],
  [
    "a CronJob's template",
    { kind: "CronJob", spec: { jobTemplate: { spec: { template: { spec: {} } } } } },
    { kind: "CronJob", spec: { jobTemplate: { spec: { template: { spec: {}, ...annotated } } } } },
  ],
  [
    "nothing that makes no pods",
    { kind: "Service", spec: { ports: [] } },
    { kind: "Service", spec: { ports: [] } },
  ],
])("the annotation is put on %s", (_what, object, expected) => {
  expect(withImageFallback(object as unknown as ManifestedObject, "host")).toEqual(expected);
});
