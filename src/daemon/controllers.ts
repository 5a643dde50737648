import type { Scope } from "../base/scope.ts";
import { cronJobController } from "../controllers/cron-job/controller.ts";
import { daemonSetController } from "../controllers/daemon-set/controller.ts";
import { deploymentController } from "../controllers/deployment/controller.ts";
import { endpointsController } from "../controllers/endpoints/controller.ts";
import { jobController } from "../controllers/job/controller.ts";
import { replicaSetController } from "../controllers/replica-set/controller.ts";
import { replicationController } from "../controllers/replica-set/replication-controller.ts";
import { runControllers } from "../controllers/run-controllers.ts";
import { statefulSetController } from "../controllers/stateful-set/controller.ts";
import type { Controller, ControllerEvents, ControllerObjects } from "../controllers/types.ts";
import { EventRecorder } from "../node/event-recorder.ts";
import type { Store } from "../store/types.ts";

/** What kube-controller-manager would run, as far as it means something on one machine. */
const controllers: readonly Controller[] = [
  cronJobController,
  daemonSetController,
  deploymentController,
  endpointsController,
  jobController,
  replicaSetController,
  replicationController,
  statefulSetController,
];

/** Starts every controller of this node. */
export function startControllers(
  parts: { readonly store: Store; readonly objects: ControllerObjects },
  scope: Scope,
): { stop(): Promise<void> } {
  const events = (component: string): ControllerEvents => {
    const recorder = new EventRecorder(parts.store, undefined, component);
    return {
      record: (object, type, reason, message) => recorder.record(object, type, reason, message, scope),
    };
  };
  return runControllers(controllers, { objects: parts.objects, events }, scope);
}
