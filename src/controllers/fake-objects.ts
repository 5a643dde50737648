import { kubernetesTime } from "../base/clock.ts";
import type { KubernetesObject, ObjectMetadata, StoredPod } from "../kube/types.ts";
import { controllerReference } from "./ownership.ts";
import type { Action, Plan } from "./types.ts";

/** The time of plans in tests. */
export const now: number = Date.parse("2026-08-01T12:00:00Z");

/** RFC 3339, so many seconds before {@link now}. */
export function ago(seconds: number): string {
  return kubernetesTime(now - seconds * 1_000);
}

/** A stored object that a test makes up: its uid is `uid-NAME`. */
export function storedObject<T extends KubernetesObject>(
  apiVersion: string,
  kind: string,
  name: string,
  spec: unknown,
  metadata: Partial<ObjectMetadata> = {},
  status?: unknown,
): T {
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: ago(3_600),
      ...metadata,
    },
    spec,
    ...(status === undefined ? {} : { status }),
  } as unknown as T;
}

/** A pod of `owner` in a state said by few words. */
export function podOfOwner(
  owner: KubernetesObject | undefined,
  name: string,
  {
    phase = "Running",
    readyFor,
    ...metadata
  }: { phase?: string; readyFor?: number } & Partial<ObjectMetadata> = {},
): StoredPod {
  const ready = {
    type: "Ready",
    status: readyFor === undefined ? "False" : "True",
    lastTransitionTime: ago(readyFor ?? 0),
  };
  return storedObject<KubernetesObject>(
    "v1",
    "Pod",
    name,
    { containers: [{ name: "main", image: "a" }] },
    {
      labels: { app: "web" },
      ...(owner === undefined ? {} : { ownerReferences: [controllerReference(owner)] }),
      ...metadata,
    },
    { phase, conditions: [ready] },
  ) as unknown as StoredPod;
}

/** A plan's actions but for the status, one line each. */
export function stepsOf({ actions }: Plan): readonly string[] {
  return actions.filter((action) => action.do !== "status").map(line);
}

/** The status that a plan writes. */
export function statusIn({ actions }: Plan): object | undefined {
  return actions.find((action) => action.do === "status")?.status;
}

function line(action: Action): string {
  switch (action.do) {
    case "create": {
      const { name, generateName } = action.object.metadata;
      return `create ${action.resource} ${name ?? `${generateName}*`}`;
    }
    case "patch":
      return `patch ${action.resource} ${action.name} ${JSON.stringify(action.patch)}`;
    case "delete":
      return `delete ${action.resource} ${action.name}`;
    case "event":
      return `event ${action.reason}: ${action.message}`;
    case "status":
      return "status";
  }
}
