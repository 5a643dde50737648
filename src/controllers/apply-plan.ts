import { explain, isConflict, isNotFound, PeapodError } from "../base/errors.ts";
import type { KubernetesObject } from "../kube/types.ts";
import type { ResourceName } from "../store/types.ts";
import type { Action, ControllerEvents, ControllerObjects, PlanFailure } from "./types.ts";

/** What carrying out a plan for one object takes. */
export interface PlanTarget {
  readonly resource: ResourceName;
  readonly object: KubernetesObject;
  readonly objects: ControllerObjects;
  readonly events: ControllerEvents;
}

/**
 * Does the steps one after the other. Returns why it stopped when one of them failed, after an event about it;
 * undefined when all are done. An object that somebody else removed or replaced meanwhile stops nothing: its change is
 * seen and planned for.
 */
export function applyPlan(actions: readonly Action[], target: PlanTarget): PlanFailure | undefined {
  for (const action of actions) {
    try {
      apply(action, target);
    } catch (error) {
      if (isNotFound(error) || (isConflict(error) && action.do !== "create")) continue;
      // Nothing new is made in a namespace that ends; its objects will go, too.
      if (isNamespaceTerminating(error)) return undefined;
      const failure = failureOf(action, explain(error));
      target.events.record(target.object, "Warning", failure.reason, failure.message);
      return failure;
    }
  }
  return undefined;
}

function apply(action: Action, { resource, object, objects, events }: PlanTarget): void {
  const { namespace = "", name: ownName, uid: ownUID } = object.metadata;
  const say = (event: { reason: string; message: string } | undefined, name: string) => {
    if (event === undefined) return;
    events.record(object, "Normal", event.reason, event.message.replace("{name}", name));
  };
  switch (action.do) {
    case "create": {
      const created = objects.create(action.resource, namespace, action.object);
      say(action.event, created.metadata.name);
      return;
    }
    case "patch":
      objects.patch({ resource: action.resource, namespace, name: action.name }, action.uid, action.patch);
      say(action.event, action.name);
      return;
    case "delete":
      objects.delete(
        { resource: action.resource, namespace, name: action.name },
        action.uid,
        action.options ?? {},
      );
      say(action.event, action.name);
      return;
    case "status":
      objects.updateStatus({ resource, namespace, name: ownName }, ownUID, action.status);
      return;
    case "event":
      events.record(object, action.type, action.reason, action.message);
  }
}

function failureOf(action: Action, error: string): PlanFailure {
  if (action.do === "create" && action.failure !== undefined) {
    const { reason, message } = action.failure;
    return { reason, message: message.replace("{error}", error) };
  }
  const reasons = { create: "FailedCreate", delete: "FailedDelete", patch: "FailedUpdate" } as const;
  const reason = action.do === "status" || action.do === "event" ? "FailedUpdate" : reasons[action.do];
  return { reason, message: `Error: ${error}` };
}

function isNamespaceTerminating(error: unknown): boolean {
  if (!(error instanceof PeapodError) || error.code !== "Forbidden") return false;
  const { causes = [] } = (error.details ?? {}) as { causes?: readonly { reason?: string }[] };
  return causes.some(({ reason }) => reason === "NamespaceTerminating");
}
