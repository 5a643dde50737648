import { childPath, itemPath } from "../../kube/field-path.ts";
import type { Container } from "../../kube/types.ts";
import { invalid, type Problem, required } from "../problems.ts";
import { oneOf } from "./values.ts";

const maximumRules = 20;
const maximumExitCodes = 255;

/** Rules for a container's own restart policy and what it makes of single exit codes. */
export function validateRestartPolicy(path: string, container: Container): Problem[] {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  const policyPath = childPath(path, "restartPolicy");
  const rulesPath = childPath(path, "restartPolicyRules");
  const problems = oneOf(policyPath, restartPolicy, ["Always", "Never", "OnFailure"]);
  if (rules.length > 0 && restartPolicy === undefined) {
    problems.push(required(policyPath, "must specify restartPolicy when restart rules are used"));
  }
  if (rules.length > maximumRules) {
    problems.push(invalid(rulesPath, rules.length, `must have at most ${maximumRules} items`));
  }
  return [...problems, ...rules.flatMap((rule, index) => validateRule(itemPath(rulesPath, index), rule))];
}

function validateRule(
  path: string,
  { action, exitCodes }: NonNullable<Container["restartPolicyRules"]>[number],
): Problem[] {
  const problems = oneOf(childPath(path, "action"), action, ["Restart", "RestartAllContainers"]);
  const codesPath = childPath(path, "exitCodes");
  if (exitCodes === undefined) return [...problems, required(codesPath, "must be specified")];
  problems.push(...oneOf(childPath(codesPath, "operator"), exitCodes.operator, ["In", "NotIn"]));
  const { values = [] } = exitCodes;
  if (values.length === 0)
    problems.push(required(childPath(codesPath, "values"), "must specify at least one value"));
  if (values.length > maximumExitCodes) {
    const detail = `must have at most ${maximumExitCodes} items`;
    problems.push(invalid(childPath(codesPath, "values"), values.length, detail));
  }
  return problems;
}
