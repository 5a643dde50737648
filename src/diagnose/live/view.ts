import type { PathEvidence, PodEvidence } from "../../channels/evidence-types.ts";
import type { Channel } from "../../channels/types.ts";
import type { ContainerStatus, StoredPod } from "../../kube/types.ts";
import type { Severity } from "../finding.ts";
import { type ContainerView, type PodView, viewPod } from "../pod-view.ts";

/** From which kernel file, object or log a fact was read. */
export interface LiveEvidence {
  readonly source: string;
  readonly detail: string;
}

/** A line that a container wrote. */
export interface LogLine {
  readonly container: string;
  /** The instance before the current one wrote it. */
  readonly previous: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly text: string;
}

/** A Warning event of the pod. */
export interface PodWarning {
  readonly reason: string;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Undefined when it concerns the whole pod. */
  readonly container: string | undefined;
}

/** A Service as a pod's question is answered by it. */
export interface KnownService {
  readonly namespace: string;
  readonly name: string;
  /** Undefined for a headless one. */
  readonly address: string | undefined;
  /** `app=web`; empty without. */
  readonly selector: string;
  /** With the ready pods behind each: name, address and port. */
  readonly ports: readonly {
    readonly port: number;
    readonly protocol: string;
    readonly pods: readonly string[];
  }[];
  /** The ready pods, whatever their ports. */
  readonly pods: readonly string[];
}

/** A chain of this machine's nftables that drops what pods send. */
export interface DroppingFirewall {
  /** `inet filter forward`: family, table, chain. */
  readonly chain: string;
  /** `policy drop`, or `its rules`. */
  readonly reason: string;
  /** `what pods send each other` and the like. */
  readonly drops: readonly string[];
  /** Commands that let the pods pass. */
  readonly remedy: readonly string[];
}

/** What is known of a pod at one moment. */
export interface LiveFacts {
  readonly pod: StoredPod;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Those of this pod. */
  readonly channels: readonly Channel[];
  /** Undefined when the pod has no sandbox. */
  readonly evidence: PodEvidence | undefined;
  /** The last lines of each container, oldest first. */
  readonly log: readonly LogLine[];
  /** Messages of the pod's Warning events, oldest first. */
  readonly warnings: readonly PodWarning[];
  /** Of all namespaces. */
  readonly services: readonly KnownService[];
  /** Of this machine. */
  readonly firewalls: readonly DroppingFirewall[];
}

/** A pod at one moment, as the live rules look at it. */
export interface LiveView extends LiveFacts {
  /** Its specification. */
  readonly view: PodView;
  status(container: string): ContainerStatus | undefined;
  /** What is at a path as the container calls it; undefined when nobody looked there. */
  at(container: string, path: string): PathEvidence | undefined;
}

/** What a rule saw. */
export interface LiveObservation {
  /** Those that it is about, the one that suffers first; empty: the whole pod. */
  readonly containers: readonly string[];
  /** What was seen, by name: a sentence without capital and full stop. */
  readonly message: string;
  readonly evidence: readonly LiveEvidence[];
  /** Instead of the rule's own. */
  readonly fix?: string;
  /** Instead of the rule's own. */
  readonly severity?: Severity;
}

/** One reason why a running pod does not work. The texts are Markdown; `docs/rules/<id>.md` is made of them. */
export interface LiveRule {
  /** Short words with hyphens; never changes. No manifest rule has the same. */
  readonly id: string;
  readonly severity: Severity;
  /** One line, no full stop. */
  readonly title: string;
  /** What Kubernetes or the kernel really does. */
  readonly reality: string;
  readonly fix: string;
  /** What exactly must have been seen for the rule to speak. */
  readonly scope: string;
  readonly upstream: string;
  /** Speaks only of containers about which no other rule says an error. */
  readonly lastResort?: boolean;
  /** Pure. Says what was seen and where, and keeps quiet where that allows two explanations. */
  check(view: LiveView): LiveObservation[];
}

/** Looks at a pod. */
export function viewLivePod(facts: LiveFacts): LiveView {
  const { pod, evidence } = facts;
  const statuses = new Map(
    [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].map((status) => [
      status.name,
      status,
    ]),
  );
  return {
    ...facts,
    view: viewPod(pod, "Pod", new Set()),
    status: (container) => statuses.get(container),
    at: (container, path) =>
      evidence?.paths.find((each) => each.container === container && each.path === path),
  };
}

/** The specification of a container; undefined for a name that the pod doesn't have. */
export function containerNamed({ view }: LiveView, name: string): ContainerView | undefined {
  return view.containers.find((container) => container.name === name);
}

/** Whether the container runs as of the pod's status. */
export function isRunning(view: LiveView, container: string): boolean {
  return view.status(container)?.state?.running !== undefined;
}

/** How the container's last instance ended, whether or not another one runs. */
export function lastEnd(view: LiveView, container: string) {
  const status = view.status(container);
  return status?.state?.terminated ?? status?.lastState?.terminated;
}
