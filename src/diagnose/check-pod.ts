import type { ManifestedPod } from "../manifest/read-pods.ts";
import type { Finding, FindingPlace, FindingSubject } from "./finding.ts";
import { manifestRules } from "./manifest-rules/registry.ts";
import { viewPod } from "./pod-view.ts";
import type { ManifestRule, Observation } from "./rule.ts";
import { type Suppression, suppressionPrefix, suppressionsOf } from "./suppression.ts";

/** The rule about annotations that suppress nothing. It looks at an object's metadata, so it is none of the others. */
export const suppressionRule: Omit<ManifestRule, "check"> = {
  id: "suppression",
  severity: "warning",
  title: "An annotation suppresses nothing",
  reality:
    `An annotation \`${suppressionPrefix}<rule>: "<reason>"\` keeps a rule quiet about one object. Without a reason, or for a rule ` +
    "that doesn't exist, it has no effect: the next reader should know why somebody decided against a rule.",
  fix: "Write the reason as the annotation's value, and check the rule's name; or remove the annotation.",
  scope: "The value is empty, or no rule has that name.",
  upstream: "https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/",
};

/**
 * Everything that the rules find in one pod, in the order of the rules; suppressed findings too, with the reason.
 * Nothing in pods for Windows. `serviceNames` are the Services of all the files that are checked together. Pure.
 */
export function checkPod(manifested: ManifestedPod, serviceNames: ReadonlySet<string>): Finding[] {
  if (isForWindows(manifested)) return [];
  const view = viewPod(manifested.pod, manifested.kind, serviceNames);
  const suppressions = suppressionsOf(manifested);
  const reasons = new Map(suppressions.map(({ rule, reason }) => [rule, reason || undefined]));
  const found = manifestRules.flatMap((rule) =>
    rule.check(view).map((observation) => {
      const within = (field: string) => (manifested.path === "" ? field : `${manifested.path}.${field}`);
      return makeFinding(manifested, rule, observation, within, reasons.get(rule.id));
    }),
  );
  const ineffective = suppressions.flatMap((suppression) => observeSuppression(suppression));
  const same = (field: string) => field;
  return [
    ...found,
    ...ineffective.map((observation) =>
      makeFinding(manifested, suppressionRule, observation, same, undefined),
    ),
  ];
}

/** All rules speak of Linux. */
function isForWindows({ pod: { spec } }: ManifestedPod): boolean {
  return spec?.os?.name === "windows" || spec?.nodeSelector?.["kubernetes.io/os"] === "windows";
}

function observeSuppression({ rule, reason, field }: Suppression): Observation[] {
  if (!manifestRules.some(({ id }) => id === rule)) {
    return [{ field, message: `there is no rule ${JSON.stringify(rule)} to suppress` }];
  }
  return reason === ""
    ? [{ field, message: `rule ${rule} is not suppressed, because no reason is given` }]
    : [];
}

function makeFinding(
  { positionOf, ...manifested }: ManifestedPod,
  rule: Omit<ManifestRule, "check">,
  observation: Observation,
  within: (field: string) => string,
  suppressed: string | undefined,
): Finding {
  const placeOf = (field: string): FindingPlace => ({
    field: within(field),
    position: positionOf(within(field)),
  });
  return {
    rule: rule.id,
    severity: observation.severity ?? rule.severity,
    subject: subjectOf(manifested),
    ...placeOf(observation.field),
    related: (observation.related ?? []).map(placeOf),
    message: observation.message,
    reality: rule.reality,
    fix: observation.fix ?? rule.fix,
    docs: `docs/rules/${rule.id}.md`,
    upstream: rule.upstream,
    suppressed,
  };
}

/** The object that a pod was found in. */
export function subjectOf({
  apiVersion,
  kind,
  metadata,
}: Pick<ManifestedPod, "apiVersion" | "kind" | "metadata">): FindingSubject {
  return { apiVersion, kind, name: metadata.name ?? "", namespace: metadata.namespace };
}
