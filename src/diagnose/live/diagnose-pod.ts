import { severities } from "../finding.ts";
import { liveRules } from "../live-rules/registry.ts";
import type { LiveFinding } from "./diagnosis.ts";
import type { LiveFacts, LiveObservation, LiveRule, LiveView } from "./view.ts";
import { containerNamed, viewLivePod } from "./view.ts";

/** Everything that the rules find in a running pod, the worst first. Pure. */
export function diagnosePod(facts: LiveFacts): LiveFinding[] {
  const view = viewLivePod(facts);
  const apply = (rule: LiveRule) =>
    rule.check(view).map((observation) => makeFinding(view, rule, observation));
  const found = liveRules.filter(({ lastResort }) => lastResort !== true).flatMap(apply);
  const explained = new Set(
    found.filter(({ severity }) => severity !== "info").flatMap(({ containers }) => containers[0] ?? []),
  );
  const unexplained = liveRules
    .filter(({ lastResort }) => lastResort === true)
    .flatMap(apply)
    .filter(({ containers }) => !explained.has(containers[0] ?? ""));
  return [...found, ...unexplained].sort(
    (a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity),
  );
}

function makeFinding(view: LiveView, rule: LiveRule, observation: LiveObservation): LiveFinding {
  const { metadata } = view.pod;
  const [container] = observation.containers;
  return {
    rule: rule.id,
    severity: observation.severity ?? rule.severity,
    subject: { apiVersion: "v1", kind: "Pod", name: metadata.name, namespace: metadata.namespace },
    field: (container === undefined ? undefined : containerNamed(view, container)?.path) ?? "spec",
    position: undefined,
    related: [],
    containers: observation.containers,
    message: observation.message,
    evidence: observation.evidence,
    reality: rule.reality,
    fix: observation.fix ?? rule.fix,
    docs: `docs/rules/${rule.id}.md`,
    upstream: rule.upstream,
    suppressed: undefined,
  };
}
