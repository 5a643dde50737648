import { expect, test } from "vitest";
import { quietScope } from "../base/scope.ts";
import type { StoredPod } from "../kube/types.ts";
import type { Store } from "../store/types.ts";
import { EventRecorder } from "./event-recorder.ts";

test("names sort by time, also within a millisecond: lists and `describe` show events as they happened", () => {
  const names: string[] = [];
  const store = {
    create: (_resource: string, { metadata }: { metadata: { name: string } }) => names.push(metadata.name),
  } as unknown as Store;
  const recorder = new EventRecorder(store, "node");
  const pod = { metadata: { uid: "u", namespace: "default", name: "web" }, spec: { containers: [] } };
  for (let index = 0; index < 50; index += 1) {
    recorder.record(pod as unknown as StoredPod, "Normal", "Pulled", `image ${index}`, quietScope());
  }
  expect(names).toHaveLength(50);
  expect(names.toSorted()).toEqual(names);
  expect(new Set(names).size).toBe(50);
  expect(names[0]).toMatch(/^web\.[0-9a-f]{16}$/);
});
