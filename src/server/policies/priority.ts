import type { IPriorityClass } from "kubernetes-models/scheduling.k8s.io/v1/PriorityClass";
import { isConflict } from "../../base/errors.ts";
import type { Pod } from "../../kube/types.ts";
import type { NewObject } from "../../store/types.ts";
import type { ApiContext } from "../request.ts";

const resource = "priorityclasses.scheduling.k8s.io";

/** https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/ */
const systemClasses = [
  {
    name: "system-cluster-critical",
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
  {
    name: "system-node-critical",
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
];

/** Makes the priority classes that are always there; those that exist stay as they are. */
export function ensurePriorityClasses({ store }: Pick<ApiContext, "store">): void {
  for (const { name, value, description } of systemClasses) {
    const object: NewObject = {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name },
      value,
      description,
      preemptionPolicy: "PreemptLowerPriority",
    };
    try {
      store.create(resource, object);
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}

/**
 * Gives a new pod the priority of its class, or of the default one, in place; says why it can't, in the API server's
 * words (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#pod-priority).
 */
export function resolvePriority({ spec }: Pod, { store }: Pick<ApiContext, "store">): string | undefined {
  if (spec === undefined) return undefined;
  const classes = store.list(resource).items as unknown as IPriorityClass[];
  const named = spec.priorityClassName;
  const chosen = named
    ? classes.find(({ metadata }) => metadata?.name === named)
    : classes
        .filter(({ globalDefault }) => globalDefault === true)
        .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  if (named && chosen === undefined) return `no PriorityClass with name ${named} was found`;
  const priority = chosen?.value ?? 0;
  if (spec.priority !== undefined && spec.priority !== priority) {
    return `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`;
  }
  const policy = chosen?.preemptionPolicy ?? "PreemptLowerPriority";
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    return `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
  }
  spec.priority = priority;
  spec.preemptionPolicy = policy;
  if (chosen?.metadata?.name !== undefined) spec.priorityClassName = chosen.metadata.name;
  return undefined;
}
