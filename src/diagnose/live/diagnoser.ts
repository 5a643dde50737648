import type { Scope } from "../../base/scope.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { Diagnosis, ReachQuestion } from "./diagnosis.ts";

/** Diagnoses pods of this node. */
export interface Diagnoser {
  /** Looks at the pod now. Invalid when the question names a container that the pod doesn't have. */
  diagnose(pod: StoredPod, question: ReachQuestion | undefined, scope: Scope): Promise<Diagnosis>;
}
