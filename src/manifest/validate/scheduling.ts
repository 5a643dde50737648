import { childPath, itemPath } from "../../kube/field-path.ts";
import { labelValueProblems, qualifiedNameProblems, subdomainProblems } from "../../kube/names.ts";
import type { PodSpec } from "../../kube/types.ts";
import { duplicate, forbidden, invalid, type Problem, required } from "../problems.ts";
import { validateLabels } from "./metadata.ts";
import { hasForm, oneOf } from "./values.ts";

/** Rules for where a pod may run: of no effect on one machine, but a mistake all the same. */
export function validateScheduling(spec: PodSpec): Problem[] {
  return [
    ...hasForm("spec.nodeName", spec.nodeName, subdomainProblems),
    ...validateLabels(spec.nodeSelector, "spec.nodeSelector"),
    ...validateTolerations(spec.tolerations ?? []),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? []),
    ...hasForm("spec.priorityClassName", spec.priorityClassName, subdomainProblems),
    ...oneOf("spec.preemptionPolicy", spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]),
    ...validateGates(spec),
  ];
}

function validateTolerations(tolerations: NonNullable<PodSpec["tolerations"]>): Problem[] {
  return tolerations.flatMap((toleration, index) => {
    const path = itemPath("spec.tolerations", index);
    const { key = "", value = "", effect, tolerationSeconds } = toleration;
    const operator = toleration.operator ?? "Equal";
    const problems: Problem[] = [
      ...hasForm(childPath(path, "key"), key, qualifiedNameProblems),
      ...oneOf(childPath(path, "operator"), operator, ["Equal", "Exists", "Gt", "Lt"]),
      ...oneOf(childPath(path, "effect"), effect || undefined, [
        "NoSchedule",
        "PreferNoSchedule",
        "NoExecute",
      ]),
    ];
    if (key === "" && operator !== "Exists") {
      const detail =
        'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      problems.push(invalid(childPath(path, "operator"), operator, detail));
    }
    if (operator === "Exists" && value !== "") {
      problems.push(
        invalid(childPath(path, "operator"), value, "value must be empty when `operator` is 'Exists'"),
      );
    }
    if (operator === "Equal") {
      problems.push(
        ...labelValueProblems(value).map((text) => invalid(childPath(path, "operator"), value, text)),
      );
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      problems.push(invalid(childPath(path, "effect"), effect ?? "", detail));
    }
    return problems;
  });
}

function validateTopologySpread(constraints: NonNullable<PodSpec["topologySpreadConstraints"]>): Problem[] {
  return constraints.flatMap(({ maxSkew, topologyKey, whenUnsatisfiable }, index) => {
    const path = itemPath("spec.topologySpreadConstraints", index);
    const actions = ["DoNotSchedule", "ScheduleAnyway"];
    return [
      ...((maxSkew ?? 0) > 0
        ? []
        : [invalid(childPath(path, "maxSkew"), maxSkew ?? 0, "must be greater than zero")]),
      ...(topologyKey ? [] : [required(childPath(path, "topologyKey"), "can not be empty")]),
      ...oneOf(childPath(path, "whenUnsatisfiable"), whenUnsatisfiable ?? "", actions),
    ];
  });
}

function validateGates(spec: PodSpec): Problem[] {
  const problems: Problem[] = [];
  for (const [index, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    const field = `${itemPath("spec.readinessGates", index)}.conditionType`;
    problems.push(
      ...qualifiedNameProblems(conditionType ?? "").map((text) => invalid(field, conditionType ?? "", text)),
    );
  }
  const names = new Set<string>();
  for (const [index, { name = "" }] of (spec.schedulingGates ?? []).entries()) {
    const path = itemPath("spec.schedulingGates", index);
    problems.push(...qualifiedNameProblems(name).map((text) => invalid(path, name, text)));
    if (names.has(name)) problems.push(duplicate(path, name));
    names.add(name);
  }
  if (names.size > 0 && spec.nodeName) {
    problems.push(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  }
  return problems;
}
