import { describe, expect, test } from "vitest";
import type { Container, PodStatus, StoredPod } from "../../kube/types.ts";
import { containerRecord } from "../fake-records.ts";
import { containerID } from "../status/container-status.ts";
import { PodProbes } from "./pod-probes.ts";

const probe = { exec: { command: ["true"] } };
const record = containerRecord({});

function pod(container: Partial<Container>, status?: PodStatus): StoredPod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default", uid: "1", resourceVersion: "1", creationTimestamp: "" },
    spec: { containers: [{ name: record.name, ...container }] },
    ...(status === undefined ? {} : { status }),
  };
}

describe("a container that runs and that no probe has looked at yet", () => {
  const health = (container: Partial<Container>, status?: PodStatus) =>
    new PodProbes().health(pod(container, status), record);

  test.each([
    ["is ready at once without probes", {}, { started: true, ready: true }],
    ["is ready at once with a liveness probe", { livenessProbe: probe }, { started: true, ready: true }],
    ["waits for its readiness probe", { readinessProbe: probe }, { started: true, ready: false }],
    ["waits for its startup probe", { startupProbe: probe }, { started: false, ready: false }],
  ])("%s", (_, container, expected) => expect(health(container)).toEqual(expected));

  test("stays what an earlier daemon has shown of this instance", () => {
    const shown = (id: string) => ({
      containerStatuses: [
        {
          name: record.name,
          image: "",
          imageID: "",
          restartCount: 0,
          containerID: id,
          started: true,
          ready: true,
        },
      ],
    });
    const probed = { startupProbe: probe, readinessProbe: probe };
    expect(health(probed, shown(containerID(record)))).toEqual({ started: true, ready: true });
    expect(health(probed, shown("peapod://before"))).toEqual({ started: false, ready: false });
  });
});
