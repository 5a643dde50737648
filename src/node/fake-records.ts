import type { ContainerRecord } from "../runtime/types.ts";

/** A running container's record for unit tests, with the given parts in place of the defaults. */
export function containerRecord(parts: Partial<ContainerRecord>): ContainerRecord {
  return {
    id: "0".repeat(64),
    podUID: "uid",
    podNamespace: "default",
    podName: "pod",
    name: "a",
    attempt: 0,
    imageID: "sha256:image",
    imageReference: "alpine",
    imageDigest: "docker.io/library/alpine@sha256:digest",
    phase: "Running",
    pid: 42,
    createdAt: 0,
    startedAt: 1_000,
    finishedAt: undefined,
    exitCode: undefined,
    reason: undefined,
    message: undefined,
    logPath: "/log",
    cgroup: "/peapod/poduid/a/0",
    resources: {},
    ...parts,
  };
}
