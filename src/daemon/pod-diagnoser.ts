import { isDeepStrictEqual } from "node:util";
import { kubernetesTime } from "../base/clock.ts";
import { explain, ifFound, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { EvidenceSource } from "../channels/evidence-types.ts";
import type { ChannelObserver } from "../channels/types.ts";
import { askedPaths } from "../diagnose/live/asked-paths.ts";
import { diagnosePod } from "../diagnose/live/diagnose-pod.ts";
import type { Diagnoser } from "../diagnose/live/diagnoser.ts";
import type { Diagnosis, ReachQuestion } from "../diagnose/live/diagnosis.ts";
import { answerReach } from "../diagnose/live/reach.ts";
import { type LiveFacts, type LogLine, type PodWarning, viewLivePod } from "../diagnose/live/view.ts";
import { initAndAppContainers } from "../kube/pod-containers.ts";
import type { Event, StoredPod } from "../kube/types.ts";
import type { PodNetworkDriver } from "../network/types.ts";
import type { NodeStreams } from "../node/types.ts";
import type { Store } from "../store/types.ts";
import { knownServices } from "./known-services.ts";

/** What a diagnosis is made of. */
export interface DiagnoserParts {
  readonly store: Store;
  readonly streams: NodeStreams;
  readonly observer: ChannelObserver;
  readonly evidence: EvidenceSource;
  readonly network: Pick<PodNetworkDriver, "obstacles">;
}

/** Lines of each container's log that are read. */
const tailLines = 60;
/** A log that takes longer than this is left out. */
const logMilliseconds = 5_000;

/** Diagnoses pods by all that is known: status and events of the store, channels, the kernel's tables, logs. */
export function createDiagnoser(parts: DiagnoserParts): Diagnoser {
  return {
    async diagnose(asked, question, scope) {
      checkQuestion(asked, question);
      let known = await gather(parts, asked, question, scope);
      const pod = newest(parts.store, asked);
      // A container that restarted meanwhile has its old status beside what its new process shows: once more.
      if (!hasSameInstances(pod, asked)) known = await gather(parts, pod, question, scope);
      const { facts, missing } = known;
      const { uid, name, namespace } = pod.metadata;
      const findings = diagnosePod(facts);
      return {
        apiVersion: "peapod.dev/v1alpha1",
        kind: "Diagnosis",
        metadata: { name, namespace, uid, creationTimestamp: kubernetesTime(facts.now) },
        findings:
          question === undefined
            ? findings
            : findings.filter(({ containers }) => concerns(question, containers)),
        ...(question === undefined ? {} : { answer: answerReach(viewLivePod(facts), question) }),
        missing,
      } satisfies Diagnosis;
    },
  };
}

/** What is known of the pod now. */
async function gather(
  parts: DiagnoserParts,
  pod: StoredPod,
  question: ReachQuestion | undefined,
  scope: Scope,
): Promise<{ facts: LiveFacts; missing: Diagnosis["missing"] }> {
  const { uid } = pod.metadata;
  const log = await readLogs(pod, parts.streams, scope);
  const asked = askedPaths({ pod, log });
  const place = question?.address;
  if (question !== undefined && place?.startsWith("/") === true) {
    asked.push(
      ...[question.from, question.to].flatMap((container) =>
        container === undefined ? [] : [{ container, path: place }],
      ),
    );
  }
  const { channels, missing } = await parts.observer.list(scope);
  const evidence = await parts.evidence.look(uid, asked, scope);
  const facts = {
    pod,
    now: scope.clock.now(),
    channels: channels.filter(({ spec }) => spec.podUID === uid),
    evidence,
    log,
    warnings: warningsOf(pod, parts.store),
    services: knownServices(parts.store),
    firewalls: parts.network.obstacles(),
  };
  return { facts, missing };
}

/** The pod as the store has it by now; as it was when it is gone. */
function newest(store: Store, pod: StoredPod): StoredPod {
  const { namespace, name, uid } = pod.metadata;
  const found = ifFound(() => store.get({ resource: "pods", namespace, name }));
  return found?.metadata.uid === uid ? (found as unknown as StoredPod) : pod;
}

function hasSameInstances(one: StoredPod, other: StoredPod): boolean {
  const instances = ({ status }: StoredPod) =>
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(
      ({ containerID, state }) => `${containerID} ${Object.keys(state ?? {}).join()}`,
    );
  return isDeepStrictEqual(instances(one), instances(other));
}

function concerns({ from, to }: ReachQuestion, containers: readonly string[]): boolean {
  return containers.includes(from) || (to !== undefined && containers.includes(to));
}

function checkQuestion(pod: StoredPod, question: ReachQuestion | undefined): void {
  const names = containersOf(pod);
  for (const name of [question?.from, question?.to]) {
    if (name !== undefined && !names.includes(name)) {
      throw new PeapodError(
        "BadRequest",
        `container ${name} is not valid for pod ${pod.metadata.name} (choose one of ${names.join(", ")})`,
      );
    }
  }
}

function containersOf({ spec }: StoredPod): string[] {
  return initAndAppContainers(spec).map(({ name }) => name);
}

async function readLogs(pod: StoredPod, streams: NodeStreams, scope: Scope): Promise<LogLine[]> {
  const statuses = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ].filter(({ containerID }) => containerID !== undefined);
  const lists = await Promise.all(
    statuses.flatMap(({ name, restartCount }) =>
      [true, false]
        .filter((previous) => !previous || restartCount > 0)
        .map((previous) => readLog(pod, name, previous, streams, scope)),
    ),
  );
  return lists.flat();
}

async function readLog(
  pod: StoredPod,
  container: string,
  previous: boolean,
  streams: NodeStreams,
  scope: Scope,
): Promise<LogLine[]> {
  const { namespace, name, uid } = pod.metadata;
  const signal = AbortSignal.any([scope.signal, AbortSignal.timeout(logMilliseconds)]);
  try {
    const chunks = await streams.readLog(
      { namespace, pod: name, podUID: uid, container },
      { previous, tailLines, timestamps: true, follow: false },
      { ...scope, signal },
    );
    const bytes: Uint8Array[] = [];
    for await (const chunk of chunks) bytes.push(chunk);
    return Buffer.concat(bytes)
      .toString("utf8")
      .split("\n")
      .flatMap((line) => {
        const space = line.indexOf(" ");
        const at = Date.parse(line.slice(0, space));
        return Number.isNaN(at) ? [] : [{ container, previous, at, text: line.slice(space + 1) }];
      });
  } catch (error) {
    // A log that rotation or a restart took away says nothing, and that is no error.
    scope.log.debug({ pod: name, container, error: explain(error) }, "log not read for a diagnosis");
    return [];
  }
}

function warningsOf(pod: StoredPod, store: Store): PodWarning[] {
  return (store.list("events", { namespace: pod.metadata.namespace }).items as unknown as Event[])
    .filter(
      ({ type, involvedObject, reason }) =>
        type === "Warning" &&
        involvedObject?.uid === pod.metadata.uid &&
        reason?.startsWith("Diagnosis") !== true,
    )
    .map(({ reason, message, lastTimestamp, involvedObject }) => ({
      reason: reason ?? "",
      message: message ?? "",
      at: Date.parse(lastTimestamp ?? ""),
      container: /\{(.+)\}$/.exec(involvedObject?.fieldPath ?? "")?.[1],
    }))
    .sort((a, b) => a.at - b.at);
}
