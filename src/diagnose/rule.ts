import type { Severity } from "./finding.ts";
import type { PodView } from "./pod-view.ts";

/** What a rule saw in one place of a pod. */
export interface Observation {
  /** Path of the field inside the pod, e.g. `spec.containers[0].ports[0]`. */
  readonly field: string;
  /** What was seen, by name: a sentence without capital and full stop. */
  readonly message: string;
  /** Instead of the rule's own. */
  readonly fix?: string;
  /** Instead of the rule's own. */
  readonly severity?: Severity;
  /** Paths of other fields that belong to it. */
  readonly related?: readonly string[];
}

/**
 * One thing that people get wrong about containers in one pod, as far as the manifest alone can tell. The texts
 * are Markdown; `docs/rules/<id>.md` is made of them.
 */
export interface ManifestRule {
  /** Short words with hyphens; part of annotations and links, so it never changes. */
  readonly id: string;
  readonly severity: Severity;
  /** One line, no full stop. */
  readonly title: string;
  /** What Kubernetes or the kernel really does. */
  readonly reality: string;
  readonly fix: string;
  /** When exactly the rule speaks, and when it keeps quiet, so that a reader can trust its silence. */
  readonly scope: string;
  readonly upstream: string;
  /**
   * Looks at a decoded and defaulted pod, which need not be valid: any field may be missing. Pure. Must be sure
   * of what it says: a false alarm is worse than silence.
   */
  check(pod: PodView): Observation[];
}
