import { expect, onTestFinished, test } from "vitest";
import { quietScope } from "../base/scope.ts";
import type { EvidenceSource } from "../channels/evidence-types.ts";
import type { StoredPod } from "../kube/types.ts";
import { FakeNode } from "../server/fake-node.ts";
import { openStore } from "../store/sqlite-store.ts";
import { createDiagnoser } from "./pod-diagnoser.ts";

test("a container that restarts while one looks is looked at once more, with its new status", async () => {
  const store = openStore(":memory:");
  onTestFinished(() => store.close());
  const status = (instance: number) => ({
    phase: "Running",
    containerStatuses: [{ name: "main", containerID: `peapod://${instance}`, state: { running: {} } }],
  });
  const created = store.create("pods", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", namespace: "default" },
    spec: { containers: [{ name: "main", image: "alpine" }] },
    status: status(1),
  });
  const key = { resource: "pods", namespace: "default", name: "a" } as const;
  const node = new FakeNode();
  let looks = 0;
  const evidence: EvidenceSource = {
    look: async () => {
      looks += 1;
      if (looks === 1) store.update(key, (current) => ({ ...current, status: status(2) }));
      return undefined;
    },
  };
  const network = { obstacles: () => [] };
  const diagnoser = createDiagnoser({ store, streams: node, observer: node, evidence, network });
  const pod = created as unknown as StoredPod;
  await diagnoser.diagnose(pod, undefined, quietScope());
  expect(looks).toBe(2);
  await diagnoser.diagnose(store.get(key) as unknown as StoredPod, undefined, quietScope());
  expect(looks).toBe(3);
});
