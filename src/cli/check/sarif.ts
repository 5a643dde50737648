import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { version } from "../../base/version.ts";
import { suppressionRule } from "../../diagnose/check-pod.ts";
import type { Finding, FindingPlace } from "../../diagnose/finding.ts";
import { manifestRules } from "../../diagnose/manifest-rules/registry.ts";
import type { ManifestProblem } from "../../manifest/types.ts";
import type { CheckReport } from "./report.ts";

const levels = { error: "error", warning: "warning", info: "note" } as const;

const invalidManifest = "invalid-manifest";

/**
 * The report as one run of SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
 * Suppressed findings are in it with their justification; problems of validation are results of the rule
 * `invalid-manifest`.
 */
export function sarifLog({ pods, problems }: CheckReport): object {
  const rules = [...manifestRules, suppressionRule].map(
    ({ id, title, reality, fix, scope, upstream, severity }) => ({
      id,
      shortDescription: { text: title },
      fullDescription: { text: reality },
      help: {
        text: `${reality}\n\nFix: ${fix}`,
        markdown: `${reality}\n\n**Fix.** ${fix}\n\n**When.** ${scope}`,
      },
      helpUri: upstream,
      defaultConfiguration: { level: levels[severity] },
    }),
  );
  const invalid = {
    id: invalidManifest,
    shortDescription: { text: "The API server would refuse this manifest, or warn about it" },
    helpUri: "https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation",
    defaultConfiguration: { level: "error" },
  };
  const indexOf = (id: string) => rules.findIndex((rule) => rule.id === id);
  const findings = pods.flatMap((pod) => [...pod.findings, ...pod.suppressed]);
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "peapod", semanticVersion: version, rules: [...rules, invalid] } },
        columnKind: "utf16CodeUnits",
        results: [
          ...findings.map((finding) => resultOf(finding, indexOf(finding.rule))),
          ...problems.map((problem) => resultOfProblem(problem, rules.length)),
        ],
      },
    ],
  };
}

function resultOf(finding: Finding, ruleIndex: number): object {
  const { rule, severity, message, fix, related, suppressed } = finding;
  return {
    ruleId: rule,
    ruleIndex,
    level: levels[severity],
    message: { text: `${message}. Fix: ${fix}` },
    locations: [locationOf(finding)],
    relatedLocations: related.map((place, index) => ({
      id: index + 1,
      ...locationOf(place),
      message: { text: place.field },
    })),
    ...(suppressed === undefined ? {} : { suppressions: [{ kind: "inSource", justification: suppressed }] }),
  };
}

function resultOfProblem({ field, position, severity, message }: ManifestProblem, ruleIndex: number): object {
  return {
    ruleId: invalidManifest,
    ruleIndex,
    level: levels[severity],
    message: { text: field === "" ? message : `${field}: ${message}` },
    locations: [locationOf({ field, position })],
  };
}

function locationOf({ field, position }: FindingPlace): object {
  return {
    ...(position === undefined
      ? {}
      : {
          physicalLocation: {
            artifactLocation: { uri: uriOf(position.source) },
            region: { startLine: position.line, startColumn: position.column },
          },
        }),
    ...(field === "" ? {} : { logicalLocations: [{ fullyQualifiedName: field }] }),
  };
}

/** A relative path stays relative (the reader knows the root); everything is percent-encoded as URIs want it. */
function uriOf(source: string): string {
  if (/^https?:\/\//.test(source)) return new URL(source).href;
  if (isAbsolute(source)) return pathToFileURL(source).href;
  return source.split("/").map(encodeURIComponent).join("/");
}
