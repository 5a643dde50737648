import type { IHorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import type { IPriorityClass } from "kubernetes-models/scheduling.k8s.io/v1/PriorityClass";
import { labelNameProblems } from "../../kube/names.ts";
import type { Event, Pod } from "../../kube/types.ts";
import { checkHonoured } from "../check-honoured.ts";
import { defaultPod } from "../default-pod.ts";
import { validateEvent } from "../validate/event.ts";
import { validatePodSpec } from "../validate/pod.ts";
import { accessRules } from "./access.ts";
import { configMapRules, secretRules } from "./configuration.ts";
import { limitRangeRules, resourceQuotaRules } from "./limits.ts";
import { networkRules } from "./network.ts";
import { type KindRules, kindRules } from "./rules.ts";
import { storageRules } from "./storage.ts";
import { workloadRules } from "./workloads.ts";

/** What the API does with each kind that it stores, by `apiVersion/kind`; an empty entry leaves it as it is sent. */
export const allRules: Readonly<Record<string, KindRules>> = {
  "v1/Pod": kindRules<Pod>({
    saysWhatIsRequired: true,
    setDefaults: defaultPod,
    validate: (pod) => [...validatePodSpec(pod), ...checkHonoured(pod)],
  }),
  "v1/Namespace": { nameProblems: labelNameProblems },
  "v1/Event": kindRules<Event>({ saysWhatIsRequired: true, validate: validateEvent }),
  "v1/Node": {},
  "v1/ConfigMap": configMapRules,
  "v1/Secret": secretRules,
  "v1/LimitRange": limitRangeRules,
  "v1/ResourceQuota": resourceQuotaRules,
  ...workloadRules,
  ...networkRules,
  ...storageRules,
  ...accessRules,
  "autoscaling/v2/HorizontalPodAutoscaler": kindRules<IHorizontalPodAutoscaler>({
    setDefaults: ({ spec }) => {
      if (spec !== undefined) spec.minReplicas ??= 1;
    },
  }),
  "coordination.k8s.io/v1/Lease": {},
  "events.k8s.io/v1/Event": { type: "events.Event" },
  "node.k8s.io/v1/RuntimeClass": { immutable: ["handler"] },
  "policy/v1/PodDisruptionBudget": {},
  "scheduling.k8s.io/v1/PriorityClass": kindRules<IPriorityClass>({
    immutable: ["value", "preemptionPolicy"],
    setDefaults: (object) => {
      object.preemptionPolicy ??= "PreemptLowerPriority";
    },
  }),
};
