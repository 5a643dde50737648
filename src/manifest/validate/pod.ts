import { labelNameProblems, subdomainProblems } from "../../kube/names.ts";
import type { Pod, PodSpec } from "../../kube/types.ts";
import { forbidden, invalid, type Problem, required } from "../problems.ts";
import { validateContainers } from "./containers.ts";
import { validateDNS } from "./dns.ts";
import { validateEphemeralContainers } from "./ephemeral-containers.ts";
import { validateMetadata } from "./metadata.ts";
import { validatePodResources } from "./pod-resources.ts";
import { validateScheduling } from "./scheduling.ts";
import { validatePodSecurity } from "./security.ts";
import { hasForm, inRange, oneOf } from "./values.ts";
import { validateVolumes } from "./volumes.ts";

/** Why a new pod has no ephemeral containers. */
export const notOnCreate = "cannot be set on create";

const maximumDeadline = 2 ** 31 - 1;

/**
 * All rules that the API server has for a Pod that is created, over one that was defaulted before.
 * Rules and words: ValidatePodCreate of https://pkg.go.dev/k8s.io/kubernetes/pkg/apis/core/validation.
 */
export function validatePod(pod: Pod): Problem[] {
  return [...validateMetadata(pod.metadata, subdomainProblems), ...validatePodSpec(pod)];
}

/** The same but for its metadata. */
export function validatePodSpec(pod: Pod): Problem[] {
  if (pod.spec === undefined) return [required("spec.containers")];
  // Containers that could not even be read are none: the rules may rely on the list.
  const spec = { ...pod.spec, containers: pod.spec.containers ?? [] };
  return [
    ...validateVolumes(spec.volumes ?? []),
    ...validateContainers(spec),
    ...validateEphemeralContainers(spec),
    ...validateDNS(spec),
    ...validateScheduling(spec),
    ...validatePodSecurity("spec.securityContext", spec.securityContext ?? {}),
    ...validatePodResources(spec),
    ...validatePodFields(spec),
  ];
}

/** Rules for the fields that stand in the spec itself. */
function validatePodFields(spec: PodSpec): Problem[] {
  const problems: Problem[] = [
    ...oneOf("spec.restartPolicy", spec.restartPolicy, ["Always", "OnFailure", "Never"]),
    ...hasForm("spec.hostname", spec.hostname, labelNameProblems),
    ...hasForm("spec.subdomain", spec.subdomain, labelNameProblems),
    ...hasForm("spec.serviceAccountName", spec.serviceAccountName, subdomainProblems),
    ...hasForm("spec.runtimeClassName", spec.runtimeClassName, subdomainProblems),
  ];
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined)
    problems.push(...inRange("spec.activeDeadlineSeconds", deadline, 1, maximumDeadline));
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const detail = "ShareProcessNamespace and HostPID cannot both be enabled";
    problems.push(invalid("spec.shareProcessNamespace", true, detail));
  }
  if (spec.hostUsers === false) {
    const hosts = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((name) => spec[name] === true);
    problems.push(...hosts.map((name) => forbidden(`spec.${name}`, "when `hostUsers` is false")));
  }
  if ((spec.ephemeralContainers ?? []).length > 0) {
    problems.push(forbidden("spec.ephemeralContainers", notOnCreate));
  }
  if (spec.os !== undefined) {
    problems.push(
      ...(spec.os.name
        ? oneOf("spec.os.name", spec.os.name, ["linux", "windows"])
        : [required("spec.os.name")]),
    );
  }
  return problems;
}
